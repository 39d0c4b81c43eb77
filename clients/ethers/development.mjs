// What only development nodes can do, by the names of Hardhat, which users of ethers know; and rarer methods.
import { JsonRpcSigner, parseEther, toBeHex, toQuantity, ZeroAddress } from "ethers";
import { refusal, scenario, someHash, step } from "../transcript.mjs";
import { fees, shown, shownUnsigned } from "./chain.mjs";

export async function develop({ node, wallets, at, mined, mine }, set) {
  const { team, holder, cold, keeper } = wallets;
  const asset = set.Asset.connect(team);
  const nobody = "0x00000000000000000000000000000000000000b0";
  const request = (method, ...params) => node.send(method, params);
  // Anvil keeps the base fee of blocks that were reverted.
  const resetBaseFee = () => request("hardhat_setNextBlockBaseFeePerGas", toQuantity(1_000_000_000));

  await step("snapshot", async (see) => {
    const before = await node.getBlockNumber();
    const id = await request("evm_snapshot");
    await request("hardhat_setBalance", nobody, "0x7");
    await mined(() => asset.transfer(nobody, 1, fees));
    see("changed", [(await node.getBlockNumber()) - before, await node.getBalance(nobody)]);
    see("reverts", await request("evm_revert", id));
    see("reverted", [(await node.getBlockNumber()) - before, await node.getBalance(nobody), await asset.balanceOf(nobody)]);
    see("used up", await request("evm_revert", id));
    await resetBaseFee();
  });
  await step("edit accounts", async (see) => {
    await request("hardhat_setBalance", nobody, toBeHex(parseEther("1.5")));
    await request("hardhat_setNonce", nobody, "0x3");
    await request("hardhat_setCode", nobody, "0x602a60005260206000f3");
    await request("hardhat_setStorageAt", nobody, "0x1", scenario.blockHash);
    see("account", [
      await node.getBalance(nobody),
      await node.getTransactionCount(nobody),
      await node.getCode(nobody),
      await node.getStorage(nobody, 1),
    ]);
    see("call", await node.call({ to: nobody }));
  });
  await step("impersonate", async (see) => {
    const address = set.Governance.target;
    await request("hardhat_impersonateAccount", address);
    await request("hardhat_setBalance", address, toBeHex(parseEther("1")));
    const governance = new JsonRpcSigner(node, address);
    const slash = set.Rollup.connect(governance).slash;
    const modest = { gasLimit: 500_000, maxFeePerGas: 2_000_000_000, maxPriorityFeePerGas: 1_000_000_000 };
    see("receipt", shownUnsigned(await mined(() => slash(scenario.attesters[1], 1, modest))));
    await request("hardhat_stopImpersonatingAccount", address);
    see("stopped", typeof (await refusal(() => slash(scenario.attesters[1], 1, modest))).code);
  });
  await step("impersonated signer", async (see) => {
    const address = set.Governance.target;
    see("before", (await refusal(() => node.getSigner(address))).message);
    await request("hardhat_impersonateAccount", address);
    see("signer", (await node.getSigner(address)).address);
    await request("hardhat_stopImpersonatingAccount", address);
    see("after", (await refusal(() => node.getSigner(address))).message);
  });
  await step("impersonate everybody", async (see) => {
    await request("anvil_autoImpersonateAccount", true);
    const stranger = new JsonRpcSigner(node, nobody);
    const receipt = await mined(() =>
      stranger.sendTransaction({ to: cold, value: 1, gasLimit: 50_000, maxFeePerGas: 2_000_000_000, maxPriorityFeePerGas: 1 }),
    );
    see("receipt", shownUnsigned(receipt));
    await request("anvil_autoImpersonateAccount", false);
  });
  let pendingBlock;
  await step("pool", async (see) => {
    await request("evm_setAutomine", false);
    see("automine", await request("hardhat_getAutomine"));
    const nonce = await node.getTransactionCount(team);
    const first = await team.sendTransaction({ to: nobody, value: 1, nonce, ...fees });
    const second = await team.sendTransaction({ to: nobody, value: 2, nonce: nonce + 1, ...fees });
    await holder.sendTransaction({ to: nobody, nonce: 100, ...fees });
    see("status", await request("txpool_status"));
    const hashes = (accounts) =>
      Object.entries(accounts).map(([address, sent]) => [
        address.toLowerCase(),
        Object.entries(sent).map(([nonce, { hash }]) => [nonce, hash]),
      ]);
    const { pending, queued } = await request("txpool_content");
    see("content", [hashes(pending), hashes(queued)]);
    see("nonces", [await node.getTransactionCount(team, "latest"), await node.getTransactionCount(team, "pending")]);
    see("waiting", (await node.getTransaction(first.hash)).blockNumber);
    pendingBlock = (await node.getBlock("pending")).transactions;
    see("underpriced", (await refusal(() => team.sendTransaction({ to: nobody, value: 9, nonce, ...fees }))).code);
    const more = { ...fees, maxFeePerGas: 2 * fees.maxFeePerGas, maxPriorityFeePerGas: 2 * fees.maxPriorityFeePerGas };
    const third = await team.sendTransaction({ to: nobody, value: 4, nonce: nonce + 1, ...more });
    see("replaced", hashes((await request("txpool_content")).pending));
    await at(5000);
    await mine();
    const waited = refusal(() => second.wait());
    const { code, reason, receipt } = await waited;
    see("replacement", [code, reason, shown(receipt), third.hash === receipt.hash]);
    see("first", shown(await first.wait()));
    await request("anvil_dropAllTransactions");
    see("empty", await request("txpool_status"));
  });
  await request("evm_setAutomine", true);
  await step("pending block", async (see) => see("transactions", pendingBlock));
  await step("time", async (see) => {
    const times = async (count) => {
      const newest = await node.getBlockNumber();
      const blocks = await Promise.all(Array.from({ length: count }, (_, back) => node.getBlock(newest - back)));
      return blocks.map(({ timestamp }) => timestamp - scenario.genesis);
    };
    await at(5100);
    await mine();
    await request("evm_increaseTime", 1_000);
    await mine();
    const [later, before] = await times(2);
    see("1,000 s later, and no 100 more", later - before >= 1_000 && later - before < 1_100);
    await at(7000);
    await request("hardhat_mine", "0x3", "0x3c");
    see("at intervals", await times(3));
    await request("evm_mine", toQuantity(scenario.genesis + 7500));
    see("at a time", await times(1));
    see("not back", typeof (await refusal(() => request("evm_setNextBlockTimestamp", toQuantity(scenario.genesis)))).code);
  });
  await step("block settings", async (see) => {
    await at(8000);
    await request("hardhat_setNextBlockBaseFeePerGas", toQuantity(3_000_000_000));
    await request("hardhat_setCoinbase", nobody);
    await request("evm_setBlockGasLimit", toQuantity(40_000_000));
    const receipt = await mined(() => asset.transfer(nobody, 1, fees));
    const { baseFeePerGas, miner, gasLimit } = await node.getBlock(receipt.blockNumber);
    see("block", { baseFeePerGas, miner, gasLimit });
    await request("evm_setBlockGasLimit", toQuantity(60_000_000));
    await request("hardhat_setCoinbase", ZeroAddress);
  });
  await at(8100);
  await mine();
  await step("mine by a clock", async (see) => {
    const id = await request("evm_snapshot");
    const before = await node.getBlockNumber();
    await request("evm_setIntervalMining", 1);
    const later = await new Promise((resolve) => node.on("block", (number) => number > before && resolve(number)));
    await node.removeAllListeners();
    see("blocks came", later > before);
    await request("evm_setIntervalMining", 0);
    await request("evm_setAutomine", true);
    see("reverts", await request("evm_revert", id));
    await resetBaseFee();
  });
  await step("access list", async (see) => {
    const call = await asset.transfer.populateTransaction(nobody, 1);
    const { accessList, gasUsed } = await request("eth_createAccessList", { from: team.address, ...call });
    see("list", accessList.map(({ address, storageKeys }) => [address.toLowerCase(), [...storageKeys].sort()]).sort());
    see("gas", BigInt(gasUsed) > 21_000n);
    see("with it", shown(await mined(() => team.sendTransaction({ ...call, accessList, ...fees }))));
    see(
      "legacy",
      shown(await mined(() => team.sendTransaction({ to: nobody, value: 1, type: 0, gasPrice: 5_000_000_000, gasLimit: 50_000 }))),
    );
  });
  await step("trace", async (see) => {
    const { hash } = await mined(() => asset.transfer(nobody, 1, fees));
    // The gas is the limit, from which anvil subtracts what a transaction costs before its first step.
    const seeCalls = (what, { gas, ...calls }, limit) => {
      see(what, calls);
      see(`${what}, gas`, Number(gas) <= limit && Number(gas) > limit - 30_000);
    };
    seeCalls("calls", await request("debug_traceTransaction", hash, { tracer: "callTracer" }), fees.gasLimit);
    const call = { from: cold.address, gas: "0x100000", ...(await asset.transfer.populateTransaction(nobody, 1)) };
    seeCalls("call", await request("debug_traceCall", call, "latest", { tracer: "callTracer" }), 0x100000);
    const { gas, failed, structLogs } = await request("debug_traceCall", call, "latest", {});
    see("steps", [gas, failed, structLogs.map(({ pc, op, gas, gasCost, depth }) => `${depth} ${pc} ${op} ${gas} ${gasCost}`)]);
  });
  await step("delegate", async (see) => {
    const nonce = await keeper.getNonce();
    const authorization = await keeper.authorize({ address: nobody, nonce: nonce + 1 });
    const sent = await mined(() => keeper.sendTransaction({ to: keeper, type: 4, authorizationList: [authorization], nonce, ...fees }));
    see("receipt", shown(sent));
    see("code", await node.getCode(keeper));
    const { authorizationList } = await node.getTransaction(sent.hash);
    see(
      "authorizations",
      authorizationList.map(({ address, nonce, chainId, signature }) => [address, nonce, chainId, signature.serialized]),
    );
  });
  await step("reset", async (see) => {
    await request("hardhat_reset");
    see("block", await node.getBlockNumber());
    see("code", await node.getCode(set.Asset));
    see("genesis", someHash((await node.getBlock(0)).hash));
  });
}
