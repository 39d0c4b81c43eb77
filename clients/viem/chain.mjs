// The clients of viem for a node, and the transactions of the scenario's people.
import { createTestClient, createWalletClient, encodeEventTopics, http, parseEventLogs, publicActions } from "viem";
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

/** A log with its event decoded. */
export const shownLog = ({ address, eventName, args, logIndex, transactionIndex, transactionHash, blockNumber, removed, topics, data }) => ({
  address, eventName, args, logIndex, transactionIndex, transactionHash, blockNumber, removed, topics, data,
});

/** A receipt with its events decoded. Only the hash of the block, which contains a state root, is left open. */
export function shown(receipt) {
  const { blockHash, logs, status, type, from, to, contractAddress, gasUsed, cumulativeGasUsed, effectiveGasPrice } = receipt;
  const { transactionHash, transactionIndex, blockNumber, logsBloom } = receipt;
  return {
    status, type, from, to, contractAddress, gasUsed, cumulativeGasUsed, effectiveGasPrice, transactionHash, transactionIndex, blockNumber, logsBloom,
    blockHash: someHash(blockHash),
    logsOfTheBlock: logs.every((log) => log.blockHash === blockHash),
    logs: parseEventLogs({ abi: everything, logs }).map(shownLog),
  };
}

/** An event's first topic. */
export const topicOf = (eventName) => encodeEventTopics({ abi: everything, eventName })[0];
