// The provider of ethers for a node, and the transactions of the scenario's people.
import { Contract, ContractFactory, Interface, JsonRpcProvider, Network, toQuantity, Wallet } from "ethers";
import { artifact, everything, scenario, someHash } from "../transcript.mjs";

/** The same fees and gas for each transaction, so that its hash is the same on both nodes. */
export const fees = { gasLimit: scenario.fees.gas, maxFeePerGas: scenario.fees.maxFeePerGas, maxPriorityFeePerGas: scenario.fees.maxPriorityFeePerGas };

const events = new Interface(everything);

export function provider(url, options = {}) {
  const network = Network.from(scenario.chainId);
  const node = new JsonRpcProvider(url, network, { staticNetwork: network, cacheTimeout: -1, batchStallTime: 1, ...options });
  node.pollingInterval = 20;
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

  /** Sends a transaction in a block of its own, and waits for its receipt, also if it fails. */
  async function mined(send) {
    await at(time + scenario.blockTime);
    const sent = await send();
    return node.waitForTransaction(sent.hash, 1, 10_000);
  }

  const mine = () => node.send("evm_mine", []);
  const deployer = (name) => {
    const { abi, bytecode } = artifact(name);
    return new ContractFactory(abi, bytecode, wallets.team);
  };
  return { node, wallets, at, mined, mine, deployer, url };
}

export const contract = (name, address, node) => new Contract(address, artifact(name).abi, node);

/** A log with its event decoded. */
export function shownLog({ address, topics, data, index, transactionIndex, transactionHash, blockNumber, removed }) {
  const event = events.parseLog({ topics, data });
  return { address, event: event?.name, args: event?.args.toArray(true), index, transactionIndex, transactionHash, blockNumber, removed, topics, data };
}

/** A receipt with its events decoded. Only the hash of the block, which contains a state root, is left open. */
export function shown(receipt) {
  const { blockHash, logs, status, type, from, to, contractAddress, gasUsed, cumulativeGasUsed, gasPrice, hash, index, blockNumber, logsBloom, fee } = receipt;
  return {
    status, type, from, to, contractAddress, gasUsed, cumulativeGasUsed, gasPrice, hash, index, blockNumber, logsBloom, fee,
    blockHash: someHash(blockHash),
    logsOfTheBlock: logs.every((log) => log.blockHash === blockHash),
    logs: logs.map(shownLog),
  };
}

/** The custom error with which a contract reverted. */
export function reverted(error) {
  if (error.code !== "CALL_EXCEPTION") throw error;
  return [error.action, error.revert?.name ?? error.reason, error.revert?.args.toArray(true), error.data];
}
