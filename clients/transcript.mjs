// What the suites in JavaScript share: the fixed inputs, and the transcript on stdout.
import { readFileSync } from "node:fs";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

export const scenario = read("scenario.json");

/** A compiled contract. */
export function artifact(name) {
  const { abi, bytecode } = read(`../contracts/artifacts/${name}.json`);
  return { abi, bytecode: bytecode.object };
}

/** The ABI of all contracts in one, to decode events and errors. */
export const everything = ["Asset", "Registry", "Proposals", "Governance", "Issuer", "RewardDistributor", "Expect", "Rollup"].flatMap(
  (name) => artifact(name).abi.filter(({ type }) => type === "event" || type === "error"),
);

/** What is shown for a value that isn't there, which the comparison refuses: a name may be misspelled. */
const UNDEFINED = "(undefined)";

/**
 * Runs a step of a suite and prints a line about it: its name, and what it passed to `see`. A step that throws is part of
 * the transcript, too, and the others go on.
 */
export async function step(name, run) {
  const seen = {};
  const line = { step: name, seen };
  let value;
  try {
    value = await run((what, value) => (seen[what] = value));
  } catch (error) {
    line.failed = (error.shortMessage ?? error.message).split("\n")[0];
    if (process.env.TRACE) console.error(name, error.stack);
  }
  const plain = (_, value) => (typeof value === "bigint" ? value.toString() : value === undefined ? UNDEFINED : value);
  process.stdout.write(JSON.stringify(line, plain) + "\n");
  return value;
}

/** What is shown for a hash that differs from node to node: whether it is one. */
export const someHash = (value) => (/^0x[0-9a-f]{64}$/.test(value) ? "a hash" : value);

/** Calls `run` and returns the error that it throws, which is expected. */
export async function refusal(run) {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error("expected a refusal, found success");
}
