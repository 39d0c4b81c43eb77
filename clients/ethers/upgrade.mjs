// A whole upgrade, from the deployment of the set to the first move of a stake.
import { concat, getCreate2Address, keccak256, Signature, toBeHex, verifyTypedData } from "ethers";
import { refusal, scenario, someHash, step } from "../transcript.mjs";
import { contract, fees, reverted, shown } from "./chain.mjs";

const { rollup: rollupParameters, times, signaling } = scenario;

/** Deploys the set with the team's key, wires it, and hands out tokens. */
export async function deploy({ node, wallets, mined, deployer }) {
  const team = wallets.team.address;
  await step("give ether", async (see) => {
    for (const who of scenario.funded) {
      const { address } = wallets[who];
      await node.send("hardhat_setBalance", [address, toBeHex(BigInt(scenario.ether))]);
      see(who, [address, await node.getBalance(address)]);
    }
  });

  const set = {};
  const create = (name, ...args) =>
    step(`deploy ${name}`, async (see) => {
      let created;
      const receipt = await mined(async () => (created = await deployer(name).deploy(...args, fees)).deploymentTransaction());
      see("receipt", shown(receipt));
      set[name] = contract(name, await created.getAddress(), node);
      see("code", keccak256(await created.getDeployedCode()));
    });
  await create("Asset", "Token", "TOK", team, team, scenario.supply);
  await create("Registry", team);
  await create("Proposals", set.Registry, signaling.n, signaling.m);
  await create("Governance", set.Asset, set.Proposals, scenario.configuration);
  await create("Issuer", set.Asset, scenario.rate, set.Governance);
  await create("RewardDistributor", set.Asset, set.Registry, scenario.blockReward, set.Governance);
  await create("Expect");
  await create("Rollup", instance(set, scenario.exitDelays[0]));

  const as = (who, name) => set[name].connect(wallets[who]);
  await step("wire the set", async (see) => {
    see("upgrade", shown(await mined(() => as("team", "Registry").upgrade(set.Rollup, fees))));
    see("offer Asset", shown(await mined(() => as("team", "Asset").transferOwnership(set.Issuer, fees))));
    see("offer Registry", shown(await mined(() => as("team", "Registry").transferOwnership(set.Governance, fees))));
    see("accept Asset", shown(await mined(() => as("keeper", "Issuer").acceptAsset(fees))));
    see("accept Registry", shown(await mined(() => as("keeper", "Governance").acceptOwnership(set.Registry, fees))));
  });
  await step("hand out tokens", async (see) => {
    const tokens = { operator: 3n * BigInt(scenario.stake), holder: scenario.locks.holder };
    for (const [who, amount] of Object.entries(tokens)) {
      see(who, shown(await mined(() => as("team", "Asset").transfer(wallets[who], amount, fees))));
    }
    see("rewards", shown(await mined(() => as("team", "Asset").transfer(set.RewardDistributor, scenario.rewards, fees))));
  });
  return set;
}

/** The parameters of a rollup of the set. */
const instance = (set, exitDelay) => ({
  asset: set.Asset,
  registry: set.Registry,
  rewardDistributor: set.RewardDistributor,
  owner: set.Governance,
  genesisTime: scenario.genesis,
  ...rollupParameters,
  exitDelay,
});

/** Stakes for three sequencers. */
export async function stake({ node, wallets, mined }, set) {
  const { operator } = wallets;
  const Rollup = set.Rollup.connect(operator);
  await step("approve the stakes, filled by the client", async (see) => {
    const { approve } = set.Asset.connect(operator);
    const args = [set.Rollup, 3n * BigInt(scenario.stake)];
    see("result", await approve.staticCall(...args));
    const receipt = await mined(() => approve(...args));
    see("hash", someHash(receipt.hash));
    see("outcome", [receipt.status, receipt.gasUsed, receipt.logs.map(({ topics, data }) => [topics, data])]);
    const sent = await node.getTransaction(receipt.hash);
    see("gas suffices", sent.gasLimit >= receipt.gasUsed);
    see("the fee covers the base fee", sent.maxFeePerGas >= receipt.gasPrice);
  });
  await step("stake", async (see) => {
    for (const [index, attester] of scenario.attesters.entries()) {
      const proposer = wallets[`proposer${index + 1}`];
      see(attester, shown(await mined(() => Rollup.deposit(attester, proposer, operator, scenario.stake, fees))));
    }
    see("attesters", await Rollup.getAttesters());
  });
}

/** The domain, the types and the message that a wallet signs for one of the set's contracts. */
export const typedData = (domain, verifyingContract, type, message) => [
  { name: scenario.domains[domain], version: "1", chainId: scenario.chainId, verifyingContract },
  { [type]: scenario.types[type] },
  message,
];

/** Locks tokens: the holder's by a permit, and the team's for an account without ether. */
export async function lock({ wallets, mined }, set) {
  const { holder, team, cold } = wallets;
  await step("lock with a permit", async (see) => {
    const [owner, value, deadline] = [holder.address, BigInt(scenario.locks.holder), scenario.deadline];
    const nonce = await set.Asset.nonces(owner);
    const permit = { owner, spender: await set.Governance.getAddress(), value, nonce, deadline };
    const data = typedData("asset", await set.Asset.getAddress(), "Permit", permit);
    const signature = await holder.signTypedData(...data);
    see("signature", signature);
    see("signer", verifyTypedData(...data, signature));
    const { v, r, s } = Signature.from(signature);
    see("receipt", shown(await mined(() => set.Governance.connect(holder).depositWithPermit(owner, value, deadline, v, r, s, fees))));
  });
  await step("lock for another", async (see) => {
    const amount = scenario.locks.cold;
    see("approve", shown(await mined(() => set.Asset.connect(team).approve(set.Governance, amount, fees))));
    see("deposit", shown(await mined(() => set.Governance.connect(team).deposit(cold, amount, fees))));
  });
}

/** Deploys the new rollup through the factory, and the payload. */
export async function prepare({ node, wallets, mined, deployer }, set) {
  const { factory, salt } = scenario;
  const { data: initCode } = await deployer("Rollup").getDeployTransaction(instance(set, scenario.exitDelays[1]));
  const initCodeHash = keccak256(initCode);
  await step("deploy the new rollup", async (see) => {
    const address = getCreate2Address(factory, salt, initCodeHash);
    see("address", address);
    see("no code yet", await node.getCode(address));
    see("receipt", shown(await mined(() => wallets.team.sendTransaction({ to: factory, data: concat([salt, initCode]), ...fees }))));
    set.NewRollup = contract("Rollup", address, node);
    see("owner", await set.NewRollup.owner());
  });
  await step("deploy the payload", async (see) => {
    const args = [set.Expect, set.Registry, set.NewRollup, set.Rollup, factory, salt, initCodeHash, scenario.uri];
    const receipt = await mined(async () => (await deployer("UpgradePayload").deploy(...args, fees)).deploymentTransaction());
    see("receipt", shown(receipt));
    set.Payload = contract("UpgradePayload", receipt.contractAddress, node);
    see("actions", await set.Payload.getActions());
    see("URI", await set.Payload.getURI());
  });
}

/** Signals in the slots of the drawn proposers, and pushes the round. */
export async function signal({ node, wallets, at, mined, mine }, set) {
  const { Proposals, Rollup, Payload } = set;
  const { keeper } = wallets;
  const refused = async (run) => reverted(await refusal(run));
  await step("record a seed", async (see) => {
    await at(times.setupEpoch - scenario.blockTime);
    const receipt = await mined(() => Rollup.connect(keeper).setupEpoch(fees));
    see("receipt", shown(receipt));
    const { recorded, seed } = await Rollup.getSeed(scenario.seed.epoch);
    see("recorded", recorded);
    see("the event's seed", BigInt(receipt.logs[0].data) === seed);
    see("stored", BigInt(await node.getStorage(Rollup, scenario.seed.slot)) === seed);
    // The same seed on both nodes draws the same proposers.
    await node.send("hardhat_setStorageAt", [Rollup.target, `0x${scenario.seed.slot}`, scenario.seed.value]);
    see("seed", await Rollup.getSeed(scenario.seed.epoch));
  });

  for (const [index, time] of times.signals.entries()) {
    await step(`signal ${index + 1}`, async (see) => {
      await at(time - scenario.blockTime);
      await mine();
      const address = await Rollup.getCurrentProposer();
      see("proposer", address);
      const proposer = Object.values(wallets).find((wallet) => wallet.address === address);
      see("refused", await refused(() => Proposals.connect(keeper).vote.staticCall(Payload)));
      if (index === 0) {
        see("mined refusal", shown(await mined(() => Proposals.connect(keeper).vote(Payload, fees))));
        see("block", shown(await mined(() => Rollup.connect(proposer).proposeBlock(scenario.blockHash, fees))));
      }
      if (index === 1) {
        const message = { payload: Payload.target, slot: await Rollup.getCurrentSlot(), instance: Rollup.target };
        const signature = await proposer.signTypedData(...typedData("proposals", Proposals.target, "Signal", message));
        see("signature", signature);
        see("receipt", shown(await mined(() => Proposals.connect(keeper).voteWithSig(Payload, signature, fees))));
      } else {
        see("result", await Proposals.connect(proposer).vote.staticCall(Payload));
        see("receipt", shown(await mined(() => Proposals.connect(proposer).vote(Payload, fees))));
      }
      see("status", await Proposals.currentStatus());
    });
  }

  await step("push", async (see) => {
    const round = Math.floor(times.signals[0] / rollupParameters.slotDuration / signaling.m);
    const { pushProposal } = Proposals.connect(keeper);
    see("too early", await refused(() => pushProposal.staticCall(round)));
    await at(times.push - scenario.blockTime);
    await mine();
    see("winner", await Proposals.winnerOf(round));
    const estimate = await pushProposal.estimateGas(round);
    const receipt = await mined(() => pushProposal(round, fees));
    see("receipt", shown(receipt));
    see("the estimate suffices", estimate >= receipt.gasUsed);
  });
}

/** Votes, directly and by a signature, and executes the proposal. */
export async function vote({ wallets, at, mined, mine }, set) {
  const { holder, cold, keeper } = wallets;
  const Governance = set.Governance.connect(keeper);
  const refused = async (run) => reverted(await refusal(run));
  await step("vote", async (see) => {
    see("too early", await refused(() => Governance.connect(holder).vote.staticCall(0, 1, true)));
    await at(times.votes - scenario.blockTime);
    await mine();
    see("state", await Governance.getProposalState(0));
    see("receipt", shown(await mined(() => Governance.connect(holder).vote(0, scenario.locks.holder, true, fees))));
    see("ballots", await Governance.ballots(0, holder));
  });
  await step("vote by a signature", async (see) => {
    const [proposalId, amount, support, voter, deadline] = [0, scenario.locks.cold, false, cold.address, scenario.deadline];
    const [actionsHash, nonce] = await Promise.all([Governance.actionsHash(proposalId), Governance.ballotNonce(proposalId, voter)]);
    const ballot = { proposalId, actionsHash, amount, support, voter, nonce, deadline };
    const signature = await cold.signTypedData(...typedData("governance", Governance.target, "Ballot", ballot));
    see("signature", signature);
    see("another choice", await refused(() => Governance.voteWithSig.staticCall(proposalId, amount, true, voter, deadline, signature)));
    see("receipt", shown(await mined(() => Governance.voteWithSig(proposalId, amount, support, voter, deadline, signature, fees))));
    see("proposal", await Governance.getProposal(proposalId));
  });
  await step("execute", async (see) => {
    see("too early", await refused(() => Governance.execute.staticCall(0)));
    see("not estimated", await refused(() => Governance.execute.estimateGas(0)));
    await at(times.execute - scenario.blockTime);
    await mine();
    const estimate = await Governance.execute.estimateGas(0);
    const receipt = await mined(() => Governance.execute(0, fees));
    see("receipt", shown(receipt));
    see("the estimate suffices", estimate >= receipt.gasUsed);
    see("canonical", await set.Registry.getRollup());
    see("snapshot", await set.Registry.getCurrentSnapshot());
  });
}

/** Moves a stake to the new rollup. */
export async function move({ wallets, at, mined }, set) {
  const [attester] = scenario.attesters;
  const { operator, keeper } = wallets;
  await step("move", async (see) => {
    const finalise = set.Rollup.connect(keeper)["finaliseMove(address)"];
    await at(times.move - scenario.blockTime);
    see("initiate", shown(await mined(() => set.Rollup.connect(operator).initiateMove(attester, set.NewRollup, fees))));
    see("failed", shown(await mined(() => finalise(attester, fees))));
    await at(times.finishMove - scenario.blockTime);
    see("finalise", shown(await mined(() => finalise(attester, fees))));
    see("stake", await set.NewRollup.getInfo(attester));
    see("attesters", await set.NewRollup.getAttesters());
  });
}
