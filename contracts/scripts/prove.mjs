// Runs the symbolic proofs of proofs/ with halmos and prints what is proven. halmos and its solvers are installed from
// proofs/requirements.txt into a virtual environment in the user's cache.
//
//   npm --prefix contracts run prove                        all proofs
//   npm --prefix contracts run prove -- --quick             without the slow ones
//   npm --prefix contracts run prove -- --match Tabulation  only contracts with such a name
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HELP = `Prove statements about the Solidity for all arguments, with halmos

Usage: npm --prefix contracts run prove -- [options]

  --quick        Leave out the slow proofs
  --match REGEX  Prove only the contracts of proofs/ whose name matches
  --help         Print this
`;

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { quick, match } = options();

/** Seconds after which the solver gives up on one assertion. */
const SOLVER_SECONDS = 120;

function fail(message) {
  process.stderr.write(message + "\n");
  process.exit(1);
}

/** What the command line asks for. */
function options() {
  try {
    const { values } = parseArgs({
      options: { quick: { type: "boolean", default: false }, match: { type: "string", default: "" }, help: { type: "boolean" } },
    });
    if (values.help) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    return { quick: values.quick, match: new RegExp(values.match) };
  } catch (error) {
    fail(`${error.message}\n\n${HELP}`);
  }
}

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8", maxBuffer: 1 << 28, ...options });
  if (done.error) fail(`${command}: ${done.error.message}`);
  return done;
}

/** Where halmos is installed; the folder is named after what is in it. */
function environment() {
  const requirements = join(root, "proofs", "requirements.txt");
  const name = `canon-proofs-${createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12)}`;
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), name);
  if (existsSync(join(folder, "complete"))) return folder;
  process.stdout.write(`installing halmos in ${folder}\n`);
  rmSync(folder, { recursive: true, force: true });
  for (const [command, ...args] of [
    ["python3", "-m", "venv", folder],
    [join(folder, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements],
    ["touch", join(folder, "complete")],
  ]) {
    const done = run(command, args);
    if (done.status !== 0) fail(`${command} ${args.join(" ")}: ${done.stdout}${done.stderr}`);
  }
  return folder;
}

function solidityFiles(dir) {
  return readdirSync(dir, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((e) => (e.isDirectory() ? solidityFiles(join(dir, e.name)) : e.name.endsWith(".sol") ? [join(dir, e.name)] : []));
}

/** The text of a NatSpec comment and its custom tags. */
function comment(lines) {
  const text = lines.replace(/^\s*\/\/\/ ?/gm, "").trim();
  const [notice, ...tags] = text.split(/^@custom:/m);
  return {
    notice: notice.replace(/@(title|notice)\s*/g, "").replace(/\s+/g, " ").trim(),
    slow: tags.some((t) => t.startsWith("slow")),
    integers: tags.some((t) => t.startsWith("solver integers")),
  };
}

/** The contracts of proofs/ and what their functions claim. */
function claims() {
  const contracts = [];
  for (const file of solidityFiles(join(root, "proofs"))) {
    const source = readFileSync(file, "utf8");
    for (const [, lines, name, body] of source.matchAll(/((?:^\/\/\/.*\n)+)contract (\w+) is [^{]*\bProof\b[^{]*\{([\s\S]*?)^\}/gm)) {
      const functions = [...body.matchAll(/((?:^ *\/\/\/.*\n)+) *function ((check|refute)_\w+)/gm)].map(
        ([, text, functionName, kind]) => ({ ...comment(text), name: functionName, kind }),
      );
      const undocumented = [...body.matchAll(/function ((?:check|refute)_\w+)/g)].length - functions.length;
      if (undocumented !== 0) fail(`${relative(root, file)}: a proof has no comment that says what it proves`);
      if (!functions.some((f) => f.kind === "refute")) fail(`${relative(root, file)}: nothing wrong is stated, so nothing shows that a proof can fail`);
      contracts.push({ ...comment(lines), file: relative(root, file), name, functions });
    }
  }
  return contracts;
}

const python = environment();
const report = mkdtempSync(join(tmpdir(), "canon-proofs-"));
const env = {
  ...process.env,
  FOUNDRY_PROFILE: "prove",
  PATH: `${join(root, "node_modules", ".bin")}:${join(python, "bin")}:${process.env.PATH}`,
};

let proven = 0;
let refuted = 0;
let skipped = 0;
let problems = 0;
const start = Date.now();
for (const contract of claims().filter((c) => match.test(c.name))) {
  const chosen = contract.functions.filter((f) => !(quick && f.slow));
  skipped += contract.functions.length - chosen.length;
  if (chosen.length === 0) continue;
  const json = join(report, `${contract.name}.json`);
  const halmos = run(
    join(python, "bin", "halmos"),
    [
      "--root", root, "--forge-build-out", "out/prove", "--contract", contract.name,
      "--match-test", `^(${chosen.map((f) => `${f.name}\\(`).join("|")})`,
      "--json-output", json, "--no-status", "--panic-error-codes", "*", "--loop", "300", "--solver-threads", "1",
      "--solver-timeout-assertion", `${SOLVER_SECONDS}s`,
      ...(contract.integers
        ? ["--solver-command", `${join(python, "bin", "python")} ${join(root, "proofs", "solve.py")}`]
        : ["--solver", "yices"]),
    ],
    // A halmos whose solver is ended from outside waits for ever.
    { env, timeout: 900_000, killSignal: "SIGKILL" },
  );
  if (!existsSync(json)) fail(`halmos: ${halmos.stdout}${halmos.stderr}`);
  const results = Object.values(JSON.parse(readFileSync(json, "utf8")).test_results).flat();

  process.stdout.write(`\n${contract.name} (${contract.file})\n`);
  let failed = false;
  for (const f of chosen) {
    const result = results.find((r) => r.name.startsWith(`${f.name}(`));
    // halmos: 0 if every assertion holds, 1 if there is a counterexample, otherwise it doesn't know. A loop that was
    // cut off leaves something unproven.
    let outcome = "UNKNOWN";
    if (result?.num_bounded_loops === 0) {
      if (result.exitcode === 0) outcome = f.kind === "check" ? "proven" : "NOT REFUTED";
      if (result.exitcode === 1 && result.num_models > 0) outcome = f.kind === "check" ? "WRONG" : "refuted";
    }
    if (outcome === "proven") proven++;
    else if (outcome === "refuted") refuted++;
    else {
      problems++;
      failed = true;
    }
    const seconds = result ? `${result.time[0].toFixed(1)} s` : "";
    process.stdout.write(`  ${outcome.padEnd(11)} ${seconds.padStart(7)}  ${f.name}: ${f.notice}\n`);
  }
  if (failed) process.stdout.write(halmos.stdout + halmos.stderr);
}
rmSync(report, { recursive: true });
process.stdout.write(
  `\n${proven} proven, ${refuted} wrong statements refuted, ${problems} with another outcome than expected` +
    `${skipped > 0 ? `, ${skipped} slow ones left out` : ""}; ${Math.round((Date.now() - start) / 1000)} s\n`,
);
if (problems > 0 || proven + refuted === 0) process.exit(1);
