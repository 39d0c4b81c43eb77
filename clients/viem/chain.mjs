// The clients of viem for a node, and the transactions of the scenario's people.
import { createTestClient, createWalletClient, http, keccak256, parseEventLogs, publicActions } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { anvil } from "viem/chains";
import { everything, scenario, someHash } from "../transcript.mjs";

/** The same fees and gas for each transaction, so that its hash is the same on both nodes. */
export const fees = Object.fromEntries(Object.entries(scenario.fees).map(([name, value]) => [name, BigInt(value)]));

export function connect(url) {
  const options = { chain: anvil, transport: http(url), pollingInterval: 20, cacheTime: 0 };
  const node = createTestClient({ mode: "anvil", ...options }).extend(publicActions);
  const wallet = (key) => createWalletClient({ account: privateKeyToAccount(key), ...options });
  const wallets = Object.fromEntries(Object.entries(scenario.keys).map(([name, key]) => [name, wallet(key)]));
  let time = 0;

  /** Sets the time of the next block, in seconds since genesis. */
  async function at(seconds) {
    time = seconds;
    await node.setNextBlockTimestamp({ timestamp: BigInt(scenario.genesis + time) });
  }

  /** Sends a transaction in a block of its own, and waits for its receipt. */
  async function mined(send) {
    await at(time + scenario.blockTime);
    return node.waitForTransactionReceipt({ hash: await send(), timeout: 10_000 });
  }

  /** Calls a contract in a transaction. */
  const transact = (who, contract, functionName, args = []) =>
    mined(() => wallets[who].writeContract({ ...contract, functionName, args, ...fees }));

  return { node, wallets, at, mined, transact, options };
}

/** A log with its event decoded. The hash of its block, and the node's randomness, which is an epoch's seed, are left open. */
export function shownLog({ args, data, ...log }) {
  const decoded = log.eventName === "SeedRecorded" ? { data: someHash(data) } : { args, data };
  return { ...log, ...decoded, blockHash: someHash(log.blockHash) };
}

/**
 * A receipt with its events decoded. The hash of its block, which contains a state root, is left open. Anvil adds two
 * fields that other nodes don't have.
 */
export const shown = ({ blobGasPrice, blockTimestamp, ...receipt }) => ({
  ...receipt,
  blockHash: someHash(receipt.blockHash),
  logsOfTheBlock: receipt.logs.every((log) => log.blockHash === receipt.blockHash),
  logs: parseEventLogs({ abi: everything, logs: receipt.logs }).map(shownLog),
});

/** The receipt of a transaction that its sender didn't sign: each node makes up a signature, so the hash is left open. */
export function shownUnsigned(receipt) {
  const { logs, ...rest } = shown(receipt);
  const transactionHash = someHash(receipt.transactionHash);
  return { ...rest, transactionHash, logs: logs.map((log) => ({ ...log, transactionHash })) };
}

/** A transaction; the hash of its block is left open. */
export const shownTransaction = (sent) => ({
  ...sent,
  blockHash: sent.blockHash && someHash(sent.blockHash),
  input: keccak256(sent.input),
});

/** A block; what contains or follows from a state root, and the node's randomness, are left open. Anvil still has a difficulty. */
export const shownBlock = ({ hash, parentHash, stateRoot, mixHash, size, totalDifficulty, ...rest }) => ({
  ...rest,
  hashes: [hash, parentHash, stateRoot, mixHash].map(someHash),
  size: size > 500n,
  transactions: rest.transactions.map((sent) => (sent.hash ? shownTransaction(sent) : sent)),
});
