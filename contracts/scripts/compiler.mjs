// The locked solc-js with the settings of this project: sources in, artifacts out.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

/** The folder `contracts/`. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The settings that the bytecode depends on. */
const settings = {
  optimizer: { enabled: true, runs: 1_000_000 },
  viaIR: true,
  evmVersion: "prague",
  metadata: { bytecodeHash: "none", appendCBOR: false },
};

/** The compiler's outputs that an artifact is made of. */
export const artifactOutputs = [
  "abi",
  "evm.bytecode.object",
  "evm.deployedBytecode.object",
  "evm.deployedBytecode.immutableReferences",
  "storageLayout",
];

/** The paths of all Solidity files below `dir`, in a fixed order. */
export function solidityFiles(dir) {
  return readdirSync(dir, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((e) => (e.isDirectory() ? solidityFiles(join(dir, e.name)) : e.name.endsWith(".sol") ? [join(dir, e.name)] : []));
}

/** The text of every file in src/, by its path from `root`. */
export function readSources() {
  return Object.fromEntries(solidityFiles(join(root, "src")).map((f) => [relative(root, f), readFileSync(f, "utf8")]));
}

function findImport(path) {
  const file = join(root, "node_modules", path);
  return existsSync(file) ? { contents: readFileSync(file, "utf8") } : { error: `${path} not found: run npm ci` };
}

/** The compiler's answer for `sources` (text by path); `outputSelection` is that of solc's standard JSON. */
export function compile(sources, outputSelection) {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(Object.entries(sources).map(([path, content]) => [path, { content }])),
    settings: { ...settings, outputSelection },
  };
  return JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }));
}

/** Whether `file` declares what gets an artifact: a contract that can be deployed or an interface. */
export function hasArtifacts(file) {
  return /^src\/(core|payloads|lens|interfaces)\//.test(file);
}

/** Storage without the compiler's node ids, which differ between compilations of the same code. */
function storage(layout) {
  return layout.storage.map((v) => ({
    label: v.label,
    slot: v.slot,
    offset: v.offset,
    type: layout.types[v.type].label,
  }));
}

/** The artifact of contract `name` in `file`, of which the compiler answered `output`, as it is written to disk. */
export function artifact(file, name, output) {
  const { bytecode, deployedBytecode } = output.evm;
  // Immutable references are keyed by node id: keep only where they are, in order.
  const immutableReferences = Object.values(deployedBytecode.immutableReferences ?? {})
    .flat()
    .sort((a, b) => a.start - b.start);
  const content = {
    contractName: name,
    source: file,
    compiler: solc.version(),
    abi: output.abi,
    bytecode: { object: "0x" + bytecode.object },
    deployedBytecode: { object: "0x" + deployedBytecode.object, immutableReferences },
    storageLayout: storage(output.storageLayout),
  };
  return JSON.stringify(content, null, 1) + "\n";
}
