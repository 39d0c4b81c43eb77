// A whole upgrade, from the deployment of the set to the first move of a stake.
import {
  BaseError,
  concatHex,
  ContractFunctionRevertedError,
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  keccak256,
  parseSignature,
  recoverTypedDataAddress,
} from "viem";
import { artifact, refusal, scenario, someHash, step } from "../transcript.mjs";
import { fees, shown } from "./chain.mjs";

const { rollup: rollupParameters, times, signaling } = scenario;

/** Deploys the set with the team's key, wires it, and hands out tokens. */
export async function deploy(chain) {
  const { node, wallets, mined, transact } = chain;
  const team = wallets.team.account.address;

  await step("give ether", async (see) => {
    for (const who of scenario.funded) {
      const { address } = wallets[who].account;
      await node.setBalance({ address, value: BigInt(scenario.ether) });
      see(who, [address, await node.getBalance({ address })]);
    }
  });

  const set = {};
  const contract = (name, args) =>
    step(`deploy ${name}`, async (see) => {
      const { abi, bytecode } = artifact(name);
      const receipt = await mined(() => wallets.team.deployContract({ abi, bytecode, args, ...fees }));
      see("receipt", shown(receipt));
      set[name] = { abi, address: receipt.contractAddress };
      see("code", keccak256(await node.getCode({ address: receipt.contractAddress })));
    });
  const address = (name) => set[name].address;
  await contract("Asset", ["Token", "TOK", team, team, scenario.supply]);
  await contract("Registry", [team]);
  await contract("Proposals", [address("Registry"), signaling.n, signaling.m]);
  await contract("Governance", [address("Asset"), address("Proposals"), scenario.configuration]);
  await contract("Issuer", [address("Asset"), scenario.rate, address("Governance")]);
  await contract("RewardDistributor", [address("Asset"), address("Registry"), scenario.blockReward, address("Governance")]);
  await contract("Expect", []);
  await contract("Rollup", [instance(set, scenario.exitDelays[0])]);

  await step("wire the set", async (see) => {
    see("upgrade", shown(await transact("team", set.Registry, "upgrade", [address("Rollup")])));
    see("offer Asset", shown(await transact("team", set.Asset, "transferOwnership", [address("Issuer")])));
    see("offer Registry", shown(await transact("team", set.Registry, "transferOwnership", [address("Governance")])));
    see("accept Asset", shown(await transact("keeper", set.Issuer, "acceptAsset")));
    see("accept Registry", shown(await transact("keeper", set.Governance, "acceptOwnership", [address("Registry")])));
  });

  await step("hand out tokens", async (see) => {
    const tokens = { operator: 3n * BigInt(scenario.stake), holder: scenario.locks.holder };
    for (const [who, amount] of Object.entries(tokens)) {
      see(who, shown(await transact("team", set.Asset, "transfer", [wallets[who].account.address, amount])));
    }
    see("rewards", shown(await transact("team", set.Asset, "transfer", [address("RewardDistributor"), scenario.rewards])));
  });
  return set;
}

/** The parameters of a rollup of the set. */
const instance = (set, exitDelay) => ({
  asset: set.Asset.address,
  registry: set.Registry.address,
  rewardDistributor: set.RewardDistributor.address,
  owner: set.Governance.address,
  genesisTime: scenario.genesis,
  ...rollupParameters,
  exitDelay,
});

/** Stakes for three sequencers. */
export async function stake({ node, wallets, mined, transact }, set) {
  const operator = wallets.operator;
  await step("approve the stakes, filled by the client", async (see) => {
    const call = { ...set.Asset, functionName: "approve", args: [set.Rollup.address, 3n * BigInt(scenario.stake)] };
    const { request, result } = await node.simulateContract({ ...call, account: operator.account });
    see("result", result);
    const receipt = await mined(() => operator.writeContract(request));
    see("hash", someHash(receipt.transactionHash));
    // The fee is the client's, and with it the hash.
    const { transactionHash, effectiveGasPrice, ...others } = shown(receipt);
    see("receipt", {
      ...others,
      logs: receipt.logs.map(({ topics, data }) => [topics, data]),
    });
    const sent = await node.getTransaction({ hash: receipt.transactionHash });
    see("gas suffices", sent.gas >= receipt.gasUsed);
    see("the fee covers the base fee", sent.maxFeePerGas >= receipt.effectiveGasPrice);
  });
  await step("stake", async (see) => {
    for (const [index, attester] of scenario.attesters.entries()) {
      const proposer = wallets[`proposer${index + 1}`].account.address;
      see(
        attester,
        shown(await transact("operator", set.Rollup, "deposit", [attester, proposer, operator.account.address, scenario.stake])),
      );
    }
    see("attesters", await node.readContract({ ...set.Rollup, functionName: "getAttesters" }));
  });
}

/** The data that a wallet signs for one of the set's contracts. */
export const typedData = (domain, contract, primaryType, message) => ({
  domain: { name: scenario.domains[domain], version: "1", chainId: scenario.chainId, verifyingContract: contract.address },
  types: { [primaryType]: scenario.types[primaryType] },
  primaryType,
  message,
});

/** Locks tokens: the holder's by a permit, and the team's for an account without ether. */
export async function lock({ node, wallets, transact }, set) {
  const owner = wallets.holder.account.address;
  await step("lock with a permit", async (see) => {
    const nonce = await node.readContract({ ...set.Asset, functionName: "nonces", args: [owner] });
    const value = BigInt(scenario.locks.holder);
    const deadline = BigInt(scenario.deadline);
    const data = typedData("asset", set.Asset, "Permit", { owner, spender: set.Governance.address, value, nonce, deadline });
    const signature = await wallets.holder.signTypedData(data);
    see("signature", signature);
    see("signer", await recoverTypedDataAddress({ ...data, signature }));
    const { r, s, v } = parseSignature(signature);
    see("receipt", shown(await transact("holder", set.Governance, "depositWithPermit", [owner, value, deadline, Number(v), r, s])));
  });
  await step("lock for another", async (see) => {
    const amount = scenario.locks.cold;
    see("approve", shown(await transact("team", set.Asset, "approve", [set.Governance.address, amount])));
    see("deposit", shown(await transact("team", set.Governance, "deposit", [wallets.cold.account.address, amount])));
  });
}

/** Deploys the new rollup through the factory, and the payload. */
export async function prepare({ node, wallets, mined }, set) {
  const { factory, salt } = scenario;
  const { abi, bytecode } = artifact("Rollup");
  const initCode = encodeDeployData({ abi, bytecode, args: [instance(set, scenario.exitDelays[1])] });
  await step("deploy the new rollup", async (see) => {
    const address = getContractAddress({ opcode: "CREATE2", from: factory, salt, bytecode: initCode });
    see("address", address);
    see("no code yet", await node.getCode({ address }));
    see("receipt", shown(await mined(() => wallets.team.sendTransaction({ to: factory, data: concatHex([salt, initCode]), ...fees }))));
    set.NewRollup = { abi, address };
    see("owner", await node.readContract({ ...set.NewRollup, functionName: "owner" }));
  });
  await step("deploy the payload", async (see) => {
    const { abi, bytecode } = artifact("UpgradePayload");
    const addresses = [set.Expect, set.Registry, set.NewRollup, set.Rollup].map(({ address }) => address);
    const args = [...addresses, factory, salt, keccak256(initCode), scenario.uri];
    const receipt = await mined(() => wallets.team.deployContract({ abi, bytecode, args, ...fees }));
    see("receipt", shown(receipt));
    set.Payload = { abi, address: receipt.contractAddress };
    see("actions", await node.readContract({ ...set.Payload, functionName: "getActions" }));
    see("URI", await node.readContract({ ...set.Payload, functionName: "getURI" }));
  });
}

/** The custom error with which a contract reverted. */
export function reverted(error) {
  const cause = error instanceof BaseError && error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (!cause) throw error;
  return [cause.data?.errorName ?? cause.reason, cause.data?.args, cause.raw];
}

/** Signals in the slots of the drawn proposers, and pushes the round. */
export async function signal({ node, wallets, at, transact }, set) {
  const { Proposals, Rollup, Payload } = set;
  const read = (functionName, args = []) => node.readContract({ ...Rollup, functionName, args });
  await step("record a seed", async (see) => {
    await at(times.setupEpoch - scenario.blockTime);
    const receipt = await transact("keeper", Rollup, "setupEpoch");
    see("receipt", shown(receipt));
    const [recorded, seed] = await read("getSeed", [scenario.seed.epoch]);
    see("recorded", recorded);
    see("the event's seed", BigInt(receipt.logs[0].data) === seed);
    const index = `0x${scenario.seed.slot.toString(16).padStart(64, "0")}`;
    see("stored", BigInt(await node.getStorageAt({ address: Rollup.address, slot: index })) === seed);
    // The same seed on both nodes draws the same proposers.
    await node.setStorageAt({ address: Rollup.address, index, value: scenario.seed.value });
    see("seed", await read("getSeed", [scenario.seed.epoch]));
  });

  for (const [index, time] of times.signals.entries()) {
    await step(`signal ${index + 1}`, async (see) => {
      await at(time - scenario.blockTime);
      await node.mine({ blocks: 1 });
      const proposer = await read("getCurrentProposer");
      see("proposer", proposer);
      const [who] = Object.entries(wallets).find(([, { account }]) => account.address === proposer);
      see("who", who);
      const vote = { ...Proposals, functionName: "vote", args: [Payload.address] };
      see("refused", reverted(await refusal(() => node.simulateContract({ ...vote, account: wallets.keeper.account }))));
      if (index === 0) {
        const failed = await transact("keeper", Proposals, "vote", [Payload.address]);
        see("mined refusal", shown(failed));
        // What it reverted with: the same call at the block before it.
        const earlier = { ...vote, account: wallets.keeper.account, blockNumber: failed.blockNumber - 1n };
        see("its reason", reverted(await refusal(() => node.simulateContract(earlier))));
        see("block", shown(await transact(who, Rollup, "proposeBlock", [scenario.blockHash])));
      }
      if (index === 1) {
        const slot = await read("getCurrentSlot");
        const data = typedData("proposals", Proposals, "Signal", { payload: Payload.address, slot, instance: Rollup.address });
        const signature = await wallets[who].signTypedData(data);
        see("signature", signature);
        see("receipt", shown(await transact("keeper", Proposals, "voteWithSig", [Payload.address, signature])));
      } else {
        see("result", (await node.simulateContract({ ...vote, account: wallets[who].account })).result);
        see("receipt", shown(await transact(who, Proposals, "vote", [Payload.address])));
      }
      see("status", await node.readContract({ ...Proposals, functionName: "currentStatus" }));
    });
  }

  await step("push", async (see) => {
    const round = Math.floor(times.signals[0] / rollupParameters.slotDuration / signaling.m);
    const push = { ...Proposals, functionName: "pushProposal", args: [round], account: wallets.keeper.account };
    see("too early", reverted(await refusal(() => node.simulateContract(push))));
    await at(times.push - scenario.blockTime);
    await node.mine({ blocks: 1 });
    see("winner", await node.readContract({ ...Proposals, functionName: "winnerOf", args: [round] }));
    const estimate = await node.estimateContractGas(push);
    const receipt = await transact("keeper", Proposals, "pushProposal", [round]);
    see("receipt", shown(receipt));
    see("the estimate suffices", estimate >= receipt.gasUsed);
  });
}

/** Votes, directly and by a signature, and executes the proposal. */
export async function vote({ node, wallets, at, transact }, set) {
  const { Governance } = set;
  const read = (functionName, args = []) => node.readContract({ ...Governance, functionName, args });
  await step("vote", async (see) => {
    const early = { ...Governance, functionName: "vote", args: [0n, 1n, true], account: wallets.holder.account };
    see("too early", reverted(await refusal(() => node.simulateContract(early))));
    await at(times.votes - scenario.blockTime);
    await node.mine({ blocks: 1 });
    see("state", await read("getProposalState", [0n]));
    see("receipt", shown(await transact("holder", Governance, "vote", [0n, scenario.locks.holder, true])));
    see("ballots", await read("ballots", [0n, wallets.holder.account.address]));
  });
  await step("vote by a signature", async (see) => {
    const voter = wallets.cold.account.address;
    const [actionsHash, nonce] = await Promise.all([read("actionsHash", [0n]), read("ballotNonce", [0n, voter])]);
    const [amount, deadline] = [BigInt(scenario.locks.cold), BigInt(scenario.deadline)];
    const ballot = { proposalId: 0n, actionsHash, amount, support: false, voter, nonce, deadline };
    const signature = await wallets.cold.signTypedData(typedData("governance", Governance, "Ballot", ballot));
    see("signature", signature);
    const args = [0n, amount, false, voter, deadline, signature];
    const wrong = { ...Governance, functionName: "voteWithSig", args: args.with(2, true), account: wallets.keeper.account };
    see("another choice", reverted(await refusal(() => node.simulateContract(wrong))));
    see("receipt", shown(await transact("keeper", Governance, "voteWithSig", args)));
    see("proposal", await read("getProposal", [0n]));
  });
  await step("execute", async (see) => {
    const early = { ...Governance, functionName: "execute", args: [0n], account: wallets.keeper.account };
    see("too early", reverted(await refusal(() => node.simulateContract(early))));
    await at(times.execute - scenario.blockTime);
    await node.mine({ blocks: 1 });
    const data = encodeFunctionData({ abi: Governance.abi, functionName: "execute", args: [0n] });
    const estimate = await node.estimateGas({ account: wallets.keeper.account, to: Governance.address, data });
    const receipt = await transact("keeper", Governance, "execute", [0n]);
    see("receipt", shown(receipt));
    see("the estimate suffices", estimate >= receipt.gasUsed);
    see("canonical", await node.readContract({ ...set.Registry, functionName: "getRollup" }));
    see("snapshot", await node.readContract({ ...set.Registry, functionName: "getCurrentSnapshot" }));
  });
}

/** Moves a stake to the new rollup. */
export async function move({ node, at, transact }, set) {
  const [attester] = scenario.attesters;
  await step("move", async (see) => {
    await at(times.move - scenario.blockTime);
    see("initiate", shown(await transact("operator", set.Rollup, "initiateMove", [attester, set.NewRollup.address])));
    see("failed", shown(await transact("keeper", set.Rollup, "finaliseMove", [attester])));
    await at(times.finishMove - scenario.blockTime);
    see("finalise", shown(await transact("keeper", set.Rollup, "finaliseMove", [attester])));
    see("stake", await node.readContract({ ...set.NewRollup, functionName: "getInfo", args: [attester] }));
    see("attesters", await node.readContract({ ...set.NewRollup, functionName: "getAttesters" }));
  });
}
