// What programs ask a node beside the transactions of an upgrade: states, logs, fees, signatures and refusals.
import {
  BaseError,
  createPublicClient,
  createWalletClient,
  getAbiItem,
  getAddress,
  hexToBigInt,
  http,
  keccak256,
  numberToHex,
  parseEther,
  recoverMessageAddress,
  recoverTransactionAddress,
  verifyMessage,
  verifyTypedData,
} from "viem";
import { artifact, everything, refusal, scenario, step } from "../transcript.mjs";
import { fees, shown, shownBlock, shownLog, shownTransaction } from "./chain.mjs";
import { reverted, typedData } from "./upgrade.mjs";

/** The classes of an error and of its causes, as far as they don't depend on the words of a node. */
const classes = ({ name, cause }) => [name, cause?.name];

export const connected = ({ node }) =>
  step("connect", async (see) => {
    see("chain", await node.getChainId());
    see("block", await node.getBlockNumber());
    see("version", typeof (await node.request({ method: "web3_clientVersion" })));
    see("network", await node.request({ method: "net_version" }));
    see("listening", await node.request({ method: "net_listening" }));
    see("syncing", await node.request({ method: "eth_syncing" }));
    see("hash", await node.request({ method: "web3_sha3", params: ["0x00"] }));
    // Anvil lists contracts that it doesn't have, and no id of the fork.
    const { current, ...later } = await node.request({ method: "eth_config" });
    const { forkId, systemContracts, ...rules } = current;
    see("rules", [rules, later, systemContracts.HISTORY_STORAGE_ADDRESS, /^0x[0-9a-f]{8}$/.test(forkId)]);
    see("blob base fee", await node.getBlobBaseFee());
    see("gas price", await node.getGasPrice());
    see("tip", await node.estimateMaxPriorityFeePerGas());
    see("fees", await node.estimateFeesPerGas());
  });

/** States, blocks and logs, now and before. */
export async function read({ node, wallets, options }, set, url) {
  const rollup = set.Rollup.address;
  const batching = createPublicClient({ ...options, transport: http(url, { batch: true }) });
  const questions = [
    { ...set.Asset, functionName: "totalSupply" },
    { ...set.Governance, functionName: "totalPowerAt", args: [scenario.genesis + 600] },
    { ...set.Rollup, functionName: "getInfo", args: [scenario.attesters[1]] },
    { ...set.Governance, functionName: "getConfiguration" },
  ];
  await step("read in a batch", async (see) => {
    see("answers", await Promise.all([batching.getBlockNumber(), ...questions.map((question) => batching.readContract(question))]));
    const mixed = await Promise.allSettled([
      batching.getChainId(),
      batching.readContract({ ...set.Governance, functionName: "getProposal", args: [7n] }),
    ]);
    see("one fails", [mixed[0].value, reverted(mixed[1].reason)]);
  });
  await step("multicall", async (see) => {
    const contracts = [...questions, { ...set.Governance, functionName: "getProposal", args: [7n] }];
    const answers = await node.multicall({ contracts, deployless: true });
    see(
      "answers",
      answers.map(({ result, error }) => result ?? reverted(error)),
    );
  });
  await step("old state", async (see) => {
    const team = wallets.team.account.address;
    for (const blockNumber of [1n, 9n, 20n]) {
      const at = `block ${blockNumber}`;
      see(`${at}: balance`, await node.getBalance({ address: team, blockNumber }));
      see(`${at}: nonce`, await node.getTransactionCount({ address: team, blockNumber }));
      see(`${at}: code`, (await node.getCode({ address: rollup, blockNumber }))?.length);
      see(`${at}: storage`, await node.getStorageAt({ address: set.Registry.address, slot: "0x0", blockNumber }));
    }
    see("balanceOf", await node.readContract({ ...set.Asset, functionName: "balanceOf", args: [team], blockNumber: 9n }));
    const early = { ...set.Asset, functionName: "balanceOf", args: [team], blockNumber: 0n };
    see("no contract yet", classes(await refusal(() => node.readContract(early))));
    see("slot", await node.readContract({ ...set.Rollup, functionName: "getCurrentSlot", blockNumber: 30n }));
  });
  await step("whole accounts", async (see) => {
    const account = (address, block) => node.request({ method: "eth_getAccount", params: [address, block] });
    // Anvil's roots contain slots that were cleared. These contracts have none.
    for (const name of ["Governance", "Payload"]) see(name, await account(set[name].address, "latest"));
    see("earlier", await account(set.Governance.address, "0x14"));
    see("without code", await account(wallets.team.account.address, "latest"));
    see("unknown", await account("0x00000000000000000000000000000000000000b1", "latest"));
  });
  await step("overrides", async (see) => {
    const word = (number) => numberToHex(number, { size: 32 });
    const stateOverride = [{ address: rollup, stateDiff: [{ slot: word(3), value: word(7) }] }];
    const holder = wallets.holder.account.address;
    see("call without code", (await node.call({ to: holder, stateOverride: [{ address: holder, code: "0x602a60005260206000f3" }] })).data);
    see("block", await node.readContract({ ...set.Rollup, functionName: "blockNumber", stateOverride }));
  });

  await step("blocks", async (see) => {
    const block = await node.getBlock({ blockNumber: 10n, includeTransactions: true });
    see("with transactions", shownBlock(block));
    see("by hash", shownBlock(await node.getBlock({ blockHash: block.hash })));
    see("child", (await node.getBlock({ blockNumber: 11n })).parentHash === block.hash);
    see("transactions", await node.getBlockTransactionCount({ blockNumber: 10n }));
    see("receipts", (await node.getBlockReceipts({ blockHash: block.hash })).map(shown));
    for (const blockTag of ["earliest", "latest", "safe", "finalized"]) see(blockTag, (await node.getBlock({ blockTag })).number);
    see("pending", (await node.getBlock({ blockTag: "pending" })).transactions);
    see("unknown number", (await refusal(() => node.getBlock({ blockNumber: 1_000_000n }))).name);
    see("unknown hash", (await refusal(() => node.getBlock({ blockHash: scenario.blockHash }))).name);
  });
  await step("transactions", async (see) => {
    const { transactions } = await node.getBlock({ blockNumber: 10n });
    const sent = await node.getTransaction({ hash: transactions[0] });
    see("by hash", shownTransaction(sent));
    see("by index", shownTransaction(await node.getTransaction({ blockNumber: 10n, index: 0 })));
    see("by block's hash", shownTransaction(await node.getTransaction({ blockHash: sent.blockHash, index: 0 })));
    see("raw", keccak256(await node.getRawTransaction({ hash: sent.hash })) === sent.hash);
    const raw = (by, block) => node.request({ method: `eth_getRawTransactionByBlock${by}AndIndex`, params: [block, "0x0"] });
    see("raw by index", [keccak256(await raw("Number", "0xa")), keccak256(await raw("Hash", sent.blockHash))]);
    see("confirmations", await node.getTransactionConfirmations({ hash: sent.hash }));
    see("unknown", (await refusal(() => node.getTransaction({ hash: scenario.blockHash }))).name);
    see("no receipt", (await refusal(() => node.getTransactionReceipt({ hash: scenario.blockHash }))).name);
  });

  await step("logs", async (see) => {
    const newest = await node.getBlockNumber();
    const event = (abi, name) => getAbiItem({ abi, name });
    const logs = async (what, filter) => see(what, (await node.getLogs({ strict: true, ...filter })).map(shownLog));
    await logs("of a range", { address: set.Asset.address, event: event(set.Asset.abi, "Transfer"), fromBlock: 1n, toBlock: newest });
    await logs("with an argument", {
      event: event(set.Asset.abi, "Transfer"),
      args: { to: wallets.holder.account.address },
      fromBlock: 1n,
    });
    await logs("of two events", {
      address: [rollup, set.Proposals.address],
      events: [event(set.Rollup.abi, "Deposit"), event(set.Proposals.abi, "VoteCast")],
      fromBlock: 0n,
    });
    await logs("of nobody", { address: wallets.cold.account.address, fromBlock: 0n });
    const votes = await node.getContractEvents({ ...set.Governance, eventName: "VoteCast", args: { proposalId: 0n }, fromBlock: 0n });
    see("of a contract", votes.map(shownLog));
    await logs("of a block", { blockHash: votes[0].blockHash });
    // Refused by some nodes; others answer that there are none.
    const nothing = (filter) =>
      node.getLogs(filter).then(
        (logs) => logs.length === 0,
        (error) => error instanceof BaseError,
      );
    see("none in an unknown block", await nothing({ blockHash: scenario.blockHash }));
    see("none in a range turned around", await nothing({ fromBlock: 5n, toBlock: 2n }));
  });
  await step("fee history", async (see) => {
    const { baseFeePerGas, ...blocks } = await node.getFeeHistory({ blockCount: 8, blockNumber: 20n, rewardPercentiles: [25, 75] });
    see("blocks", blocks);
    see("base fees", baseFeePerGas.slice(0, -1));
    // The block after the range has the last one. Anvil shows the fee of its next block instead.
    const after = [
      (await node.getBlock({ blockNumber: 21n })).baseFeePerGas,
      (await node.getFeeHistory({ blockCount: 1, rewardPercentiles: [] })).baseFeePerGas[1],
    ];
    see("base fee of a block after", after.includes(baseFeePerGas.at(-1)));
    see("newest", (await node.getFeeHistory({ blockCount: 2, rewardPercentiles: [] })).baseFeePerGas);
    see("fees", await node.estimateFeesPerGas());
    see("gas price", await node.getGasPrice());
  });
}

/** New blocks and logs, by filters and by watching. */
export async function follow({ node, wallets, mined, transact }, set) {
  const team = wallets.team.account.address;
  await step("filters", async (see) => {
    const transfers = await node.createContractEventFilter({ ...set.Asset, eventName: "Transfer", args: { from: team } });
    const blocks = await node.createBlockFilter();
    const pending = await node.createPendingTransactionFilter();
    see("nothing yet", await node.getFilterChanges({ filter: transfers }));
    const receipts = [
      await transact("team", set.Asset, "transfer", [team, 1n]),
      await transact("holder", set.Asset, "approve", [team, 1n]),
    ];
    see("transfers", (await node.getFilterChanges({ filter: transfers })).map(shownLog));
    see(
      "blocks",
      JSON.stringify(await node.getFilterChanges({ filter: blocks })) === JSON.stringify(receipts.map(({ blockHash }) => blockHash)),
    );
    see("pending", await node.getFilterChanges({ filter: pending }));
    see("nothing more", await node.getFilterChanges({ filter: transfers }));
    see("all", (await node.getFilterLogs({ filter: transfers })).map(shownLog));
    for (const filter of [transfers, blocks, pending]) see(`uninstall ${filter.type}`, await node.uninstallFilter({ filter }));
    see("uninstalled", (await refusal(() => node.getFilterChanges({ filter: transfers }))) instanceof BaseError);
  });
  await step("watch", async (see) => {
    const before = await node.getBlockNumber();
    const first = (watch) => new Promise((resolve, reject) => watch((seen) => resolve(seen), reject));
    const stops = [];
    const logs = first((onLogs, onError) =>
      stops.push(node.watchContractEvent({ ...set.Asset, eventName: "Transfer", fromBlock: before + 1n, onLogs, onError })),
    );
    const number = first((seen, onError) =>
      stops.push(node.watchBlockNumber({ onBlockNumber: (number) => number > before && seen(number), onError })),
    );
    const block = first((seen, onError) =>
      stops.push(node.watchBlocks({ onBlock: (block) => block.number > before && seen(block), onError, includeTransactions: true })),
    );
    // The watchers have asked first: with this answer, the node has their filter.
    await node.getBlockNumber();
    const receipt = await transact("team", set.Asset, "transfer", [team, 2n]);
    see("logs", (await logs).map(shownLog));
    see("number", await number);
    see("block", [(await block).hash === receipt.blockHash, (await block).transactions.map(({ hash }) => hash)]);
    stops.forEach((stop) => stop());
  });
  await step("receipt at once", async (see) => {
    see(
      "receipt",
      await mined(async () => {
        const call = { ...set.Asset, functionName: "transfer", args: [team, 3n], ...fees };
        const receipt = await wallets.team.writeContractSync(call);
        see("sync", shown(receipt));
        return receipt.transactionHash;
      }).then(shown),
    );
  });
}

/** Refusals, and the classes of errors that the client makes of them. */
export const refusals = ({ node, wallets }, set) =>
  step("refusals", async (see) => {
    const { team, cold, keeper } = wallets;
    const to = team.account.address;
    const refused = async (what, run) => see(what, classes(await refusal(run)));
    await refused("nonce too low", () => team.sendTransaction({ to, nonce: 0, ...fees }));
    await refused("insufficient funds", () => cold.sendTransaction({ to, value: parseEther("1"), ...fees }));
    await refused("insufficient funds for gas", () => cold.sendTransaction({ to, ...fees }));
    await refused("call without funds", () => node.call({ account: cold.account, to, value: 1n }));
    await refused("tip above the fee", () => team.sendTransaction({ to, ...fees, maxPriorityFeePerGas: fees.maxFeePerGas + 1n }));
    await refused("unknown method", () => node.request({ method: "eth_unknown" }));
    await refused("invalid parameters", () => node.request({ method: "eth_getBalance", params: ["0x1"] }));
    // Nodes give codes of their own to these.
    const fails = async (what, run) => see(what, (await refusal(run)) instanceof BaseError);
    await fails("gas above the limit of a transaction", () => team.sendTransaction({ to, ...fees, gas: 17_000_000n }));
    await fails("unknown block", () => node.getBalance({ address: to, blockNumber: 1_000_000n }));
    await fails("call at an unknown block", () => node.call({ to, blockNumber: 1_000_000n }));
    const transfer = { ...set.Asset, functionName: "transfer", args: [to, 1n], account: keeper.account };
    see("revert of a call", reverted(await refusal(() => node.simulateContract(transfer))));
    see("revert of an estimate", reverted(await refusal(() => node.estimateContractGas(transfer))));
    const { abi } = artifact("Asset");
    see(
      "error of another contract",
      reverted(
        await refusal(() =>
          node.simulateContract({
            ...transfer,
            abi: [...abi.filter(({ type }) => type === "function"), ...everything.filter(({ type }) => type === "error")],
          }),
        ),
      ),
    );
  });

/** Signatures by local keys and by an account of the node. */
export const sign = ({ node, wallets, options, at, mined }, set) =>
  step("sign", async (see) => {
    const message = "Canon";
    const signature = await wallets.holder.signMessage({ message });
    see("local", signature);
    see("recovered", await recoverMessageAddress({ message, signature }));
    see("verified on chain", await node.verifyMessage({ address: wallets.holder.account.address, message, signature }));
    const addresses = await wallets.team.getAddresses();
    see("local addresses", addresses);
    const cold = wallets.cold.account.address;
    const [address] = await node.request({ method: "eth_accounts" });
    const listed = createWalletClient({ ...options, account: address });
    const receipt = await mined(() => listed.sendTransaction({ to: cold, value: 5n, ...fees }));
    see("eth_sendTransaction", [receipt.status, receipt.gasUsed, receipt.type]);
    see("received", await node.getBalance({ address: cold }));
    const raw = await wallets.team.signTransaction(await wallets.team.prepareTransactionRequest({ to: cold, ...fees }));
    see("raw", raw);
    see("nonce", hexToBigInt(await node.request({ method: "eth_getTransactionCount", params: [wallets.team.account.address, "pending"] })));
    see("personal_sign", await verifyMessage({ address, message, signature: await listed.signMessage({ message }) }));
    const signed = await listed.signTransaction({ to: cold, nonce: 7, ...fees });
    see("eth_signTransaction", (await recoverTransactionAddress({ serializedTransaction: signed })) === getAddress(address));
    const data = typedData("proposals", set.Proposals, "Signal", { payload: set.Payload.address, slot: 7n, instance: set.Rollup.address });
    see("eth_signTypedData_v4", await verifyTypedData({ ...data, address, signature: await listed.signTypedData(data) }));
  });
