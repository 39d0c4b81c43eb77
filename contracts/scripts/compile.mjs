// Compiles src/ with the locked solc-js and writes one artifact per contract to artifacts/.
// `--check` writes nothing and fails on any differing bit.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(root, "artifacts");
const check = process.argv.includes("--check");

/** The settings that the bytecode depends on. */
const settings = {
  optimizer: { enabled: true, runs: 1_000_000 },
  viaIR: true,
  evmVersion: "prague",
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: {
    "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences", "storageLayout"] },
  },
};

function solidityFiles(dir) {
  return readdirSync(dir, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((e) => (e.isDirectory() ? solidityFiles(join(dir, e.name)) : e.name.endsWith(".sol") ? [join(dir, e.name)] : []));
}

const sources = Object.fromEntries(
  solidityFiles(join(root, "src")).map((f) => [relative(root, f), { content: readFileSync(f, "utf8") }]),
);

function findImport(path) {
  const file = join(root, "node_modules", path);
  return existsSync(file) ? { contents: readFileSync(file, "utf8") } : { error: `${path} not found: run npm ci` };
}

const input = { language: "Solidity", sources, settings };
const result = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }));
// Warnings about our own sources are errors; those about dependencies are theirs.
const problems = (result.errors ?? []).filter(
  (e) => e.severity === "error" || (e.severity === "warning" && sources[e.sourceLocation?.file]),
);
for (const e of problems) process.stderr.write(e.formattedMessage + "\n");
if (problems.length > 0) process.exit(1);

/** Storage without the compiler's node ids, which differ between compilations of the same code. */
function storage(layout) {
  return layout.storage.map((v) => ({
    label: v.label,
    slot: v.slot,
    offset: v.offset,
    type: layout.types[v.type].label,
  }));
}

const artifacts = new Map();
for (const [file, contracts] of Object.entries(result.contracts)) {
  if (!file.startsWith("src/core/") && !file.startsWith("src/payloads/") && !file.startsWith("src/interfaces/")) continue;
  for (const [name, c] of Object.entries(contracts)) {
    const creation = c.evm.bytecode.object;
    if (creation === "" && !file.startsWith("src/interfaces/")) continue;
    const artifact = {
      contractName: name,
      source: file,
      compiler: solc.version(),
      abi: c.abi,
      bytecode: { object: "0x" + creation },
      deployedBytecode: { object: "0x" + c.evm.deployedBytecode.object, immutableReferences: c.evm.deployedBytecode.immutableReferences ?? {} },
      storageLayout: storage(c.storageLayout),
    };
    // Immutable references are keyed by node id: keep only where they are, in order.
    artifact.deployedBytecode.immutableReferences = Object.values(artifact.deployedBytecode.immutableReferences)
      .flat()
      .sort((a, b) => a.start - b.start);
    artifacts.set(`${name}.json`, JSON.stringify(artifact, null, 1) + "\n");
  }
}

const digest = (s) => createHash("sha256").update(s).digest("hex").slice(0, 16);
let differing = 0;
if (check) {
  const present = new Set(existsSync(out) ? readdirSync(out) : []);
  for (const [name, text] of artifacts) {
    const found = present.delete(name) ? readFileSync(join(out, name), "utf8") : "";
    if (found === text) continue;
    differing++;
    process.stderr.write(`artifacts/${name}: committed ${found === "" ? "nothing" : digest(found)}, compiled ${digest(text)}\n`);
  }
  for (const name of present) {
    differing++;
    process.stderr.write(`artifacts/${name}: no source compiles to it\n`);
  }
  if (differing > 0) {
    process.stderr.write("run `npm run artifacts` in contracts/ and commit the result\n");
    process.exit(1);
  }
  process.stdout.write(`${artifacts.size} artifacts are what the sources compile to\n`);
} else {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const [name, text] of artifacts) writeFileSync(join(out, name), text);
  for (const [name, text] of artifacts) {
    const size = (JSON.parse(text).deployedBytecode.object.length - 2) / 2;
    if (size > 0) process.stdout.write(`${name.padEnd(28)} ${String(size).padStart(6)} bytes\n`);
  }
}
