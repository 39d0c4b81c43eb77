// What only development nodes can do: other states and times, a pool without mining, snapshots; and rarer methods.
import { BaseError, createWalletClient, encodeFunctionData, parseEther, zeroAddress } from "viem";
import { refusal, scenario, step } from "../transcript.mjs";
import { fees, shown, shownUnsigned } from "./chain.mjs";

export async function develop(chain, set) {
  const { node, wallets, at, mined, transact, options } = chain;
  const { team, holder, cold, keeper } = wallets;
  const nobody = "0x00000000000000000000000000000000000000b0";
  // Anvil keeps the base fee of blocks that were reverted, and forgets one that was set when it loads a state.
  const resetBaseFee = () => node.setNextBlockBaseFeePerGas({ baseFeePerGas: 1_000_000_000n });

  await step("snapshot", async (see) => {
    const before = await node.getBlockNumber();
    const id = await node.snapshot();
    await node.setBalance({ address: nobody, value: 7n });
    await transact("team", set.Asset, "transfer", [nobody, 1n]);
    see("changed", [(await node.getBlockNumber()) - before, await node.getBalance({ address: nobody })]);
    await node.revert({ id });
    see("reverted", [(await node.getBlockNumber()) - before, await node.getBalance({ address: nobody })]);
    see("tokens", await node.readContract({ ...set.Asset, functionName: "balanceOf", args: [nobody] }));
    see("used up", await node.request({ method: "evm_revert", params: [id] }));
    await resetBaseFee();
  });
  await step("edit accounts", async (see) => {
    await node.setBalance({ address: nobody, value: parseEther("1.5") });
    await node.setNonce({ address: nobody, nonce: 3 });
    await node.setCode({ address: nobody, bytecode: "0x602a60005260206000f3" });
    await node.setStorageAt({ address: nobody, index: 1, value: scenario.blockHash });
    see("balance", await node.getBalance({ address: nobody }));
    see("nonce", await node.getTransactionCount({ address: nobody }));
    see("code", await node.getCode({ address: nobody }));
    see("storage", await node.getStorageAt({ address: nobody, slot: "0x1" }));
    see("call", (await node.call({ to: nobody })).data);
  });
  await step("impersonate", async (see) => {
    const address = set.Governance.address;
    await node.impersonateAccount({ address });
    await node.setBalance({ address, value: parseEther("1") });
    const governance = createWalletClient({ ...options, account: address });
    const call = {
      ...set.Rollup,
      functionName: "slash",
      args: [scenario.attesters[1], 1n],
      ...fees,
      gas: 500_000n,
      maxFeePerGas: 2_000_000_000n,
    };
    see("receipt", shownUnsigned(await mined(() => governance.writeContract(call))));
    await node.stopImpersonatingAccount({ address });
    see("stopped", (await refusal(() => governance.writeContract(call))).name);
  });
  await step("pool", async (see) => {
    await node.setAutomine(false);
    see("automine", await node.getAutomine());
    const nonce = await node.getTransactionCount({ address: team.account.address });
    const first = await team.sendTransaction({ to: nobody, value: 1n, nonce, ...fees });
    const second = await team.sendTransaction({ to: nobody, value: 2n, nonce: nonce + 1, ...fees });
    await holder.sendTransaction({ to: nobody, nonce: 100, ...fees });
    see("status", await node.getTxpoolStatus());
    const content = await node.getTxpoolContent();
    const hashes = (accounts) =>
      Object.entries(accounts).map(([address, sent]) => [
        address.toLowerCase(),
        Object.entries(sent).map(([nonce, { hash }]) => [nonce, hash]),
      ]);
    see("content", [hashes(content.pending), hashes(content.queued)]);
    see("inspect", Object.values((await node.inspectTxpool()).pending).map(Object.keys));
    see(
      "nonces",
      await Promise.all(["latest", "pending"].map((blockTag) => node.getTransactionCount({ address: team.account.address, blockTag }))),
    );
    see("waiting", (await node.getTransaction({ hash: first })).blockNumber);
    see("underpriced", (await refusal(() => team.sendTransaction({ to: nobody, value: 9n, nonce, ...fees }))).name);
    const third = await team.sendTransaction({ to: nobody, value: 3n, nonce: nonce + 2, ...fees });
    await node.dropTransaction({ hash: third });
    see("dropped", await node.getTxpoolStatus());
    const more = { ...fees, maxFeePerGas: 2n * fees.maxFeePerGas, maxPriorityFeePerGas: 2n * fees.maxPriorityFeePerGas };
    const replacement = await team.sendTransaction({ to: nobody, value: 4n, nonce: nonce + 1, ...more });
    see("replaced", [second !== replacement, hashes((await node.getTxpoolContent()).pending)]);
    await at(5000);
    await node.mine({ blocks: 1 });
    see("replacement", shown(await node.waitForTransactionReceipt({ hash: replacement })));
    see("first", shown(await node.getTransactionReceipt({ hash: first })));
    see("empty", await node.getTxpoolStatus());
  });
  await node.setAutomine(true);
  await step("time", async (see) => {
    const times = async (count) => {
      const newest = await node.getBlockNumber();
      const blocks = await Promise.all(Array.from({ length: count }, (_, back) => node.getBlock({ blockNumber: newest - BigInt(back) })));
      return blocks.map(({ timestamp }) => Number(timestamp) - scenario.genesis);
    };
    await at(5100);
    await node.mine({ blocks: 1 });
    await node.increaseTime({ seconds: 1_000 });
    await node.mine({ blocks: 1 });
    const [later, before] = await times(2);
    see("1,000 s later, and no 100 more", later - before >= 1_000 && later - before < 1_100);
    await at(7000);
    await node.mine({ blocks: 3, interval: 60 });
    see("at intervals", await times(3));
    await node.setBlockTimestampInterval({ interval: 12 });
    await node.mine({ blocks: 2 });
    see("every 12 s", await times(2));
    await node.removeBlockTimestampInterval();
    see("not back", (await refusal(() => node.setNextBlockTimestamp({ timestamp: BigInt(scenario.genesis) }))) instanceof BaseError);
  });
  await step("block settings", async (see) => {
    await at(8000);
    await node.setNextBlockBaseFeePerGas({ baseFeePerGas: 3_000_000_000n });
    await node.setCoinbase({ address: nobody });
    await node.setBlockGasLimit({ gasLimit: 40_000_000n });
    const receipt = await transact("team", set.Asset, "transfer", [nobody, 1n]);
    const { baseFeePerGas, miner, gasLimit } = await node.getBlock({ blockNumber: receipt.blockNumber });
    see("block", { baseFeePerGas, miner, gasLimit });
    see("tip", await node.getBalance({ address: nobody, blockNumber: receipt.blockNumber }));
    await node.setCoinbase({ address: zeroAddress });
  });
  await step("call in a block with a lower limit", async (see) => {
    await node.setBlockGasLimit({ gasLimit: 60_000_000n });
    see("supply", await node.readContract({ ...set.Asset, functionName: "totalSupply" }));
  });
  await at(8100);
  await node.mine({ blocks: 1 });
  await step("mine by a clock", async (see) => {
    const id = await node.snapshot();
    const before = await node.getBlockNumber();
    await node.setIntervalMining({ interval: 1 });
    const later = await new Promise((resolve, onError) => {
      const stop = node.watchBlockNumber({ onError, onBlockNumber: (number) => number > before && (stop(), resolve(number)) });
    });
    see("blocks came", later > before);
    await node.setIntervalMining({ interval: 0 });
    await node.setAutomine(true);
    await node.revert({ id });
    await resetBaseFee();
    see("as before", (await node.getBlockNumber()) === before);
  });
  await step("dump and load", async (see) => {
    const dump = await node.dumpState();
    see("dump", dump.startsWith("0x"));
    await node.setBalance({ address: cold.account.address, value: 1n });
    await node.loadState({ state: dump });
    see("balance", await node.getBalance({ address: cold.account.address }));
    see("tokens", await node.readContract({ ...set.Asset, functionName: "totalSupply" }));
    await resetBaseFee();
  });

  await step("access list", async (see) => {
    const data = encodeFunctionData({ abi: set.Asset.abi, functionName: "transfer", args: [nobody, 1n] });
    const { accessList, gasUsed } = await node.createAccessList({ account: team.account, to: set.Asset.address, data });
    const slots = ({ address, storageKeys }) => [address.toLowerCase(), [...storageKeys].sort()];
    see("list", accessList.map(slots).sort());
    see("gas", gasUsed > 21_000n);
    see("with it", shown(await mined(() => team.sendTransaction({ to: set.Asset.address, data, accessList, ...fees }))));
  });
  await step("simulate blocks", async (see) => {
    const { abi, address: to } = set.Asset;
    const transfer = { to, abi, functionName: "transfer", args: [nobody, 1n], account: team.account };
    const balance = { to, abi, functionName: "balanceOf", args: [nobody] };
    const stateOverrides = [{ address: nobody, balance: 1n }];
    const blocks = await node.simulateBlocks({ blocks: [{ calls: [transfer, balance] }, { calls: [balance], stateOverrides }] });
    see(
      "calls",
      blocks.map(({ calls }) => calls.map(({ status, result, gasUsed, logs }) => [status, result, gasUsed, logs?.length])),
    );
    see(
      "numbers",
      blocks.map(({ number }) => number - blocks[0].number),
    );
    const { results } = await node.simulateCalls({ account: cold.account, calls: [transfer] });
    see(
      "refused",
      results.map(({ status, error }) => [status, error?.cause?.data?.errorName ?? error?.name]),
    );
  });
  await step("delegate", async (see) => {
    const authorization = await keeper.signAuthorization({ contractAddress: nobody, executor: "self" });
    const sent = await mined(() => keeper.sendTransaction({ to: keeper.account.address, authorizationList: [authorization], ...fees }));
    see("receipt", shown(sent));
    see("code", await node.getCode({ address: keeper.account.address }));
    see("delegation", await node.getDelegation({ address: keeper.account.address }));
  });
}
