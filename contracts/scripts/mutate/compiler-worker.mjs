// The compiler in a thread of its own: it compiles for seconds, during which the others go on.
import { parentPort, workerData } from "node:worker_threads";
import { artifact, compile } from "../compiler.mjs";

const { sources } = workerData;

/** The answer to `changed`, sources that differ, and `selection` of solc's outputs: errors, or artifacts by contract. */
function answer({ changed, selection }) {
  const result = compile({ ...sources, ...changed }, selection);
  const errors = (result.errors ?? []).filter((e) => e.severity === "error").map((e) => e.formattedMessage);
  if (errors.length > 0) return { errors };
  const artifacts = {};
  for (const [file, contracts] of Object.entries(result.contracts ?? {})) {
    for (const [name, output] of Object.entries(contracts)) {
      if (output.storageLayout) artifacts[name] = artifact(file, name, output);
    }
  }
  return { artifacts };
}

parentPort.on("message", (question) => parentPort.postMessage(answer(question)));
