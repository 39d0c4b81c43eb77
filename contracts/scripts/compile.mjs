// Compiles src/ with the locked solc-js and writes one artifact per contract to artifacts/.
// `--check` writes nothing and fails on any differing bit.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { artifact, artifactOutputs, compile, hasArtifacts, readSources, root } from "./compiler.mjs";

const out = join(root, "artifacts");
const check = process.argv.includes("--check");

const sources = readSources();
const result = compile(sources, { "*": { "*": artifactOutputs } });
// Warnings about our own sources are errors; those about dependencies are theirs.
const problems = (result.errors ?? []).filter(
  (e) => e.severity === "error" || (e.severity === "warning" && sources[e.sourceLocation?.file] !== undefined),
);
for (const e of problems) process.stderr.write(e.formattedMessage + "\n");
if (problems.length > 0) process.exit(1);

const artifacts = new Map();
for (const [file, contracts] of Object.entries(result.contracts)) {
  if (!hasArtifacts(file)) continue;
  for (const [name, c] of Object.entries(contracts)) {
    if (c.evm.bytecode.object === "" && !file.startsWith("src/interfaces/")) continue;
    artifacts.set(`${name}.json`, artifact(file, name, c));
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
