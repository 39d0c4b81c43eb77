// Folders in which forge tests a mutant: copies of contracts/ without what isn't needed.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../compiler.mjs";

const local = join(root, "node_modules/.bin/forge");
const FORGE = existsSync(local) ? local : "forge";

const running = new Set();

/** Ends every command that runs, with the commands that it started. */
export function endCommands() {
  for (const child of running) {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

/**
 * Runs a command, for `timeout` seconds at most.
 * @returns {Promise<{code: number | null, stdout: string, stderr: string, timedOut: boolean}>}
 */
export function run(command, args, { cwd, env = {}, timeout }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      process.kill(-child.pid, "SIGKILL");
    }, timeout * 1000);
    const texts = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"]) child[stream].setEncoding("utf8").on("data", (text) => (texts[stream] += text));
    const done = () => {
      clearTimeout(timer);
      running.delete(child);
    };
    child.on("error", (error) => {
      done();
      reject(error);
    });
    child.on("close", (code) => {
      done();
      resolve({ code, ...texts, timedOut });
    });
  });
}

/** A copy of contracts/ that forge can test. */
export class Project {
  #dir;
  #threads;

  constructor(dir, threads) {
    this.#dir = dir;
    this.#threads = threads;
  }

  /** A copy of `origin`, a folder like contracts/, with what forge compiled there. */
  static copy(origin, dir, threads) {
    mkdirSync(dir, { recursive: true });
    for (const name of ["foundry.toml", "src", "test", "artifacts", "out", "cache"]) {
      if (existsSync(join(origin, name))) cpSync(join(origin, name), join(dir, name), { recursive: true });
    }
    symlinkSync(join(root, "scripts"), join(dir, "scripts"));
    // A folder of its own: forge would take the place that a link leads to for another library, and compile everything.
    mkdirSync(join(dir, "node_modules"));
    for (const name of readdirSync(join(root, "node_modules"))) symlinkSync(join(root, "node_modules", name), join(dir, "node_modules", name));
    return new Project(dir, threads);
  }

  write(path, text) {
    writeFileSync(join(this.#dir, path), text);
  }

  /** Compiles the tests. */
  async build() {
    const { code, stdout, stderr } = await run(FORGE, ["build"], { cwd: this.#dir, timeout: 1800 });
    if (code !== 0) throw new Error(`forge build failed:\n${stdout}${stderr}`);
  }

  /**
   * Tests until the first failure.
   * @param {object} options
   * @param {string[]} [options.files] The test files; without them all but `except`.
   * @param {string[]} [options.except]
   * @param {number} [options.runs] Runs of each fuzz test, otherwise as foundry.toml has it.
   * @param {number} options.timeout In seconds.
   * @returns {Promise<string | undefined>} The test that failed, and why; `undefined` if none did.
   */
  async test({ files, except, runs, timeout }) {
    // What fuzzers found with one mutant isn't tried first with the next: it would depend on the order of mutants.
    for (const name of ["fuzz", "invariant"]) rmSync(join(this.#dir, "cache", name), { recursive: true, force: true });
    const args = ["test", "--json", "--fail-fast", "--threads", String(this.#threads)];
    if (files) args.push("--match-path", glob(files));
    if (except?.length) args.push("--no-match-path", glob(except));
    const env = { FOUNDRY_OFFLINE: "true", ...(runs && { FOUNDRY_FUZZ_RUNS: String(runs) }) };
    const result = await run(FORGE, args, { cwd: this.#dir, env, timeout });
    if (result.timedOut) return `no test ended within ${Math.round(timeout)} s`;
    if (result.code === 0) return undefined;
    const failure = firstFailure(result.stdout);
    if (!failure) throw new Error(`forge failed, but no test did:\n${result.stdout.slice(-3000)}${result.stderr.slice(-3000)}`);
    return failure;
  }
}

function glob(files) {
  return files.length === 1 ? files[0] : `{${files.join(",")}}`;
}

function firstFailure(json) {
  let suites;
  try {
    suites = JSON.parse(json);
  } catch {
    return undefined;
  }
  for (const [suite, { test_results: tests }] of Object.entries(suites)) {
    for (const [test, { status, reason }] of Object.entries(tests)) {
      if (status === "Failure") return `${suite} ${test}${reason ? `: ${reason.split("\n")[0].slice(0, 200)}` : ""}`;
    }
  }
  return undefined;
}

/** The text of a file of contracts/. */
export function read(path) {
  return readFileSync(join(root, path), "utf8");
}
