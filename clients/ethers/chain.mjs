// The provider of ethers for a node, and the transactions of the scenario's people.
import { Contract, ContractFactory, Interface, JsonRpcProvider, keccak256, Network, toQuantity, Wallet } from "ethers";
import { artifact, everything, scenario, someHash } from "../transcript.mjs";

/** The same fees and gas for each transaction, so that its hash is the same on both nodes. */
export const fees = {
  gasLimit: scenario.fees.gas,
  maxFeePerGas: scenario.fees.maxFeePerGas,
  maxPriorityFeePerGas: scenario.fees.maxPriorityFeePerGas,
};

const events = new Interface(everything);

export function provider(url, options = {}) {
  const network = Network.from(scenario.chainId);
  const node = new JsonRpcProvider(url, network, { staticNetwork: network, cacheTimeout: -1, batchStallTime: 1, ...options });
  // If its first answer takes longer, the client stops to ask for blocks.
  node.pollingInterval = 500;
  return node;
}

export function connect(url) {
  const node = provider(url);
  const wallets = Object.fromEntries(Object.entries(scenario.keys).map(([name, key]) => [name, new Wallet(key, node)]));
  let time = 0;

  /** Sets the time of the next block, in seconds since genesis. */
  async function at(seconds) {
    time = seconds;
    await node.send("evm_setNextBlockTimestamp", [toQuantity(scenario.genesis + time)]);
  }

  /**
   * Sends a transaction in a block of its own, and asks for its receipt until it is there, also if it fails. The client's
   * own waiting misses a block that is mined between its first two requests.
   */
  async function mined(send) {
    await at(time + scenario.blockTime);
    const { hash } = await send();
    for (let tries = 0; tries < 1_000; ++tries) {
      const receipt = await node.getTransactionReceipt(hash);
      if (receipt) return receipt;
    }
    throw new Error("the transaction isn't mined");
  }

  const mine = () => node.send("evm_mine", []);
  const deployer = (name) => {
    const { abi, bytecode } = artifact(name);
    return new ContractFactory(abi, bytecode, wallets.team);
  };
  return { node, wallets, at, mined, mine, deployer, url };
}

export const contract = (name, address, node) => new Contract(address, artifact(name).abi, node);

/** A log with its event decoded. The hash of its block, and the node's randomness, which is an epoch's seed, are left open. */
export function shownLog(log) {
  const { data, ...rest } = log.toJSON();
  const event = events.parseLog(log);
  const decoded = event?.name === "SeedRecorded" ? { data: someHash(data) } : { args: event?.args.toArray(true), data };
  return { ...rest, ...decoded, event: event?.name, blockHash: someHash(log.blockHash) };
}

/**
 * A receipt with its events decoded. The hash of its block, which contains a state root, is left open. Anvil adds the
 * price of blobs.
 */
export const shown = (receipt) => ({
  ...receipt.toJSON(),
  blobGasPrice: undefined,
  blockHash: someHash(receipt.blockHash),
  logsOfTheBlock: receipt.logs.every((log) => log.blockHash === receipt.blockHash),
  logs: receipt.logs.map(shownLog),
});

/** The receipt of a transaction that its sender didn't sign: each node makes up a signature, so the hash is left open. */
export function shownUnsigned(receipt) {
  const { logs, ...rest } = shown(receipt);
  const hash = someHash(receipt.hash);
  return { ...rest, hash, logs: logs.map((log) => ({ ...log, transactionHash: hash })) };
}

/** A transaction; the hash of its block is left open. */
export const shownTransaction = (sent) => ({
  ...sent.toJSON(),
  blockHash: sent.blockHash && someHash(sent.blockHash),
  data: keccak256(sent.data),
});

/** A block; what contains or follows from a state root, and the node's randomness, are left open. */
export function shownBlock(block) {
  const { hash, parentHash, stateRoot, prevRandao, ...rest } = block.toJSON();
  const hashes = [hash, parentHash, stateRoot, prevRandao].map(someHash);
  return { ...rest, hashes, prefetched: block.prefetchedTransactions.map(shownTransaction) };
}

/** The custom error with which a contract reverted. */
export function reverted(error) {
  if (error.code !== "CALL_EXCEPTION") throw error;
  return [error.action, error.revert?.name ?? error.reason, error.revert?.args.toArray(true), error.data];
}
