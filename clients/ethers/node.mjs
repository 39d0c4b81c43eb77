// What programs ask a node beside the transactions of an upgrade: states, logs, fees, signatures and refusals.
import { JsonRpcSigner, parseEther, toQuantity, Transaction, verifyMessage, verifyTypedData } from "ethers";
import { refusal, scenario, step } from "../transcript.mjs";
import { fees, provider, reverted, shown, shownBlock, shownLog, shownTransaction } from "./chain.mjs";
import { typedData } from "./upgrade.mjs";

export const connected = ({ node }) =>
  step("connect", async (see) => {
    see("network", (await node._detectNetwork()).chainId);
    see("block", await node.getBlockNumber());
    see("version", typeof (await node.send("web3_clientVersion", [])));
    see("net_version", await node.send("net_version", []));
    see("fees", await node.getFeeData());
  });

/** States, blocks and logs, now and before. */
export async function read({ node, wallets }, set) {
  const { team, holder, cold } = wallets;
  await step("read in a batch", async (see) => {
    const [attester] = scenario.attesters;
    const questions = [
      set.Asset.totalSupply(),
      set.Governance.totalPowerAt(scenario.genesis + 600),
      set.Rollup.getInfo(attester),
      set.Governance.getConfiguration(),
    ];
    see("answers", await Promise.all([node.getBlockNumber(), ...questions]));
    const [chain, proposal] = await Promise.allSettled([node.send("eth_chainId", []), set.Governance.getProposal(7)]);
    see("one fails", [chain.value, reverted(proposal.reason)]);
  });
  await step("old state", async (see) => {
    for (const block of [1, 9, 20]) {
      see(`block ${block}: balance`, await node.getBalance(team, block));
      see(`block ${block}: nonce`, await node.getTransactionCount(team, block));
      see(`block ${block}: code`, (await node.getCode(set.Rollup, block)).length);
      see(`block ${block}: storage`, await node.getStorage(set.Registry, 0, block));
    }
    see("balanceOf", await set.Asset.balanceOf(team, { blockTag: 9 }));
    see("no contract yet", (await refusal(() => set.Asset.balanceOf(team, { blockTag: 0 }))).code);
    see("slot", await set.Rollup.getCurrentSlot({ blockTag: 30 }));
  });
  await step("blocks", async (see) => {
    const block = await node.getBlock(10, true);
    see("with transactions", shownBlock(block));
    see("by hash", shownBlock(await node.getBlock(block.hash, true)));
    see("child", (await node.getBlock(11)).parentHash === block.hash);
    for (const tag of ["earliest", "latest", "safe", "finalized"]) see(tag, (await node.getBlock(tag)).number);
    see("pending", (await node.getBlock("pending")).transactions);
    see("unknown number", await node.getBlock(1_000_000));
    see("unknown hash", await node.getBlock(scenario.blockHash));
    const sent = await block.getTransaction(0);
    see("transaction", shownTransaction(sent));
    see("confirmations", await sent.confirmations());
    see("receipt", shown(await node.getTransactionReceipt(sent.hash)));
    see("unknown", [await node.getTransaction(scenario.blockHash), await node.getTransactionReceipt(scenario.blockHash)]);
    see("result", (await refusal(() => node.getTransactionResult(sent.hash))).code ?? "a result");
  });
  await step("logs", async (see) => {
    see("of a range", (await set.Asset.queryFilter("Transfer", 1, await node.getBlockNumber())).map(shownLog));
    see("with an argument", (await set.Asset.queryFilter(set.Asset.filters.Transfer(null, holder), 1)).map(shownLog));
    const topics = [[set.Rollup.getEvent("Deposit").fragment.topicHash, set.Proposals.getEvent("VoteCast").fragment.topicHash]];
    see(
      "of two events",
      (await node.getLogs({ address: [set.Rollup.target, set.Proposals.target], topics, fromBlock: 0, toBlock: "latest" })).map(shownLog),
    );
    see("of nobody", await node.getLogs({ address: cold.address, fromBlock: 0 }));
    const votes = await set.Governance.queryFilter("VoteCast", 0);
    see("of a block", (await node.getLogs({ blockHash: votes[0].blockHash })).map(shownLog));
    // Refused by some nodes; others answer that there are none.
    const nothing = (filter) =>
      node.getLogs(filter).then(
        (logs) => logs.length === 0,
        (error) => typeof error.code === "string",
      );
    see("none in an unknown block", await nothing({ blockHash: scenario.blockHash }));
    see("none in a range turned around", await nothing({ fromBlock: 5, toBlock: 2 }));
  });
  await step("fee history", async (see) => {
    const { baseFeePerGas, ...blocks } = await node.send("eth_feeHistory", ["0x8", "0x14", [25, 75]]);
    see("blocks", blocks);
    // Without the last one: anvil shows the fee of its next block there, not of the block after the range.
    see("base fees", baseFeePerGas.slice(0, -1));
    see("newest", (await node.send("eth_feeHistory", ["0x2", "latest", []])).baseFeePerGas);
    see("fees", await node.getFeeData());
  });
}

/** New blocks and logs: by filters of the node, and by asking for logs. */
export async function follow({ node, wallets, mined, url }, set) {
  const { team } = wallets;
  const asset = set.Asset.connect(team);
  for (const [index, polling] of [false, true].entries()) {
    await step(polling ? "follow by asking for logs" : "follow by filters", async (see) => {
      const follower = provider(url, { polling });
      const before = await node.getBlockNumber();
      const first = async (emitter, event, keep = () => true) => {
        let heard;
        const promise = new Promise((resolve) => (heard = resolve));
        await emitter.on(event, (...args) => keep(...args) && heard(args));
        return { promise };
      };
      const block = await first(follower, "block", (number) => number > before);
      const contract = await first(set.Asset.connect(follower), "Transfer");
      const logs = await first(follower, { address: set.Asset.target, topics: [set.Asset.getEvent("Transfer").fragment.topicHash] });
      // The follower asks in order: with this answer, the node has its filters.
      await follower.send("eth_chainId", []);
      const receipt = await mined(() => asset.transfer(team, BigInt(index + 1), fees));
      const [[number], transfer, [log]] = await Promise.all([block.promise, contract.promise, logs.promise]);
      see("block", number === receipt.blockNumber);
      see("contract", [transfer.slice(0, -1), shownLog(transfer.at(-1).log)]);
      see("log", shownLog(log));
      await follower.removeAllListeners();
    });
  }
  await step("filters by hand", async (see) => {
    const topics = [set.Asset.getEvent("Transfer").fragment.topicHash];
    const logs = await node.send("eth_newFilter", [{ address: set.Asset.target, topics }]);
    const blocks = await node.send("eth_newBlockFilter", []);
    const pending = await node.send("eth_newPendingTransactionFilter", []);
    see("nothing yet", await node.send("eth_getFilterChanges", [logs]));
    const receipt = await mined(() => asset.transfer(team, 5n, fees));
    see("logs", (await node.send("eth_getFilterChanges", [logs])).map((log) => node._wrapLog(log, node._network)).map(shownLog));
    see(
      "blocks",
      (await node.send("eth_getFilterChanges", [blocks])).map((hash) => hash === receipt.blockHash),
    );
    see(
      "pending",
      (await node.send("eth_getFilterChanges", [pending])).map((hash) => hash === receipt.hash),
    );
    see("all", (await node.send("eth_getFilterLogs", [logs])).length);
    for (const filter of [logs, blocks, pending])
      see(`uninstall ${[logs, blocks, pending].indexOf(filter)}`, await node.send("eth_uninstallFilter", [filter]));
    see("uninstalled", typeof (await refusal(() => node.send("eth_getFilterChanges", [logs]))).code);
  });
  await step("wait", async (see) => {
    const sent = await mined(() => asset.transfer(team, 6n, fees)).then(({ hash }) => node.getTransaction(hash));
    see("transaction", shown(await sent.wait()));
    const failing = await mined(() => asset.transfer(team, parseEther("2000000"), fees)).then(({ hash }) => node.getTransaction(hash));
    const error = await refusal(() => failing.wait());
    see("failed", [error.code, shown(error.receipt)]);
    // What it reverted with: the same call at the block before it.
    const { to, from, data, blockNumber } = failing;
    see(
      "reason",
      reverted(
        set.Asset.interface.makeError((await refusal(() => node.call({ to, from, data, blockTag: blockNumber - 1 }))).data, {
          to,
          from,
          data,
        }),
      ),
    );
  });
}

/** Refusals, and the codes of errors that the client makes of them. */
export const refusals = ({ node, wallets }, set) =>
  step("refusals", async (see) => {
    const { team, cold, keeper } = wallets;
    const to = team.address;
    const refused = async (what, run) => see(what, (await refusal(run)).code);
    await refused("nonce too low", () => team.sendTransaction({ to, nonce: 0, ...fees }));
    await refused("insufficient funds", () => cold.sendTransaction({ to, value: parseEther("1"), ...fees }));
    await refused("insufficient funds for gas", () => cold.sendTransaction({ to, ...fees }));
    const unknown = await refusal(() => node.send("eth_unknown", []));
    // The client knows it by geth's words, which anvil doesn't use.
    see("unknown method", ["UNSUPPORTED_OPERATION", "UNKNOWN_ERROR"].includes(unknown.code));
    see("unknown method, code of the node", (unknown.error ?? unknown.info.error).code);
    see("invalid parameters, code of the node", (await refusal(() => node.send("eth_getBalance", ["0x1"]))).error?.code);
    // Nodes give codes of their own to these.
    see("unknown block", typeof (await refusal(() => node.getBalance(to, 1_000_000))).code);
    see("call at an unknown block", typeof (await refusal(() => node.call({ to, blockTag: 1_000_000 }))).code);
    const { transfer } = set.Asset.connect(keeper);
    see("revert of a call", reverted(await refusal(() => transfer.staticCall(to, 1))));
    see("revert of an estimate", reverted(await refusal(() => transfer.estimateGas(to, 1))));
    see(
      "revert of a plain call",
      reverted(
        await refusal(() => node.call({ from: keeper, to: set.Asset, data: set.Asset.interface.encodeFunctionData("transfer", [to, 1]) })),
      ),
    );
  });

/** Signatures by local keys and by an account of the node. */
export const sign = ({ node, wallets, mined }, set) =>
  step("sign", async (see) => {
    const { holder, cold, team } = wallets;
    const signature = await holder.signMessage("Canon");
    see("local", signature);
    see("signer", verifyMessage("Canon", signature));
    const listed = await node.getSigner(0);
    see("accounts", (await node.listAccounts()).length);
    const receipt = await mined(() => listed.sendTransaction({ to: cold, value: 5, ...fees }));
    see("eth_sendTransaction", [receipt.status, receipt.gasUsed, receipt.type]);
    see("received", await node.getBalance(cold));
    const lone = { from: listed.address, to: cold.address, maxFeePerGas: toQuantity(fees.maxFeePerGas) };
    const { hash } = await mined(async () => ({ hash: await node.send("eth_sendTransaction", [lone]) }));
    const filled = await node.getTransaction(hash);
    see("a maximum fee without a priority fee", [filled.maxFeePerGas, filled.maxPriorityFeePerGas]);
    const signed = await listed.signTransaction({ to: cold.address, nonce: 7, ...fees });
    see("eth_signTransaction", Transaction.from(signed).from === listed.address);
    const stranger = new JsonRpcSigner(node, "0x00000000000000000000000000000000000000b1");
    const nobody = [() => stranger.signMessage("Canon"), () => node.send("eth_sendTransaction", [{ from: stranger.address, value: "0x1" }])];
    see("no signer", (await Promise.all(nobody.map(refusal))).map((error) => /No Signer available/i.test(JSON.stringify(error.error ?? error.info ?? error.message))));
    const raw = await team.signTransaction(await team.populateTransaction({ to: cold, ...fees }));
    see("raw", raw);
    see("nonce", await node.getTransactionCount(team, "pending"));
    see("personal_sign", verifyMessage("Canon", await listed.signMessage("Canon")) === listed.address);
    see("eth_sign", verifyMessage("Canon", await listed._legacySignMessage("Canon")) === listed.address);
    const data = typedData("proposals", set.Proposals.target, "Signal", {
      payload: set.Payload.target,
      slot: 7,
      instance: set.Rollup.target,
    });
    see("eth_signTypedData_v4", verifyTypedData(...data, await listed.signTypedData(...data)) === listed.address);
  });
