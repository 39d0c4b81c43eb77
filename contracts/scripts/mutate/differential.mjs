// The differential test, `cargo xtask differential`, with a mutant's artifacts: the rules in Rust and the bytecode in step.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../compiler.mjs";
import { run } from "./forge.mjs";

/** Seconds for a build and for a run: an hour, which neither takes. */
const TIMEOUT = 3600;

/** A copy of the repository whose artifacts may be changed; it shares nothing with the repository's own build. */
export class Differential {
  /** Where the copy is. What is built of it stays beside it when it is removed. */
  workspace = join(root, "../target/solidity-mutants/workspace");
  #calls;

  constructor(calls) {
    this.#calls = calls;
  }

  /** Copies the repository and sees that the unchanged contracts pass. The first build takes minutes. */
  async prepare() {
    const listed = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: join(root, ".."), timeout: 60 });
    if (listed.code !== 0) throw new Error(`the differential test needs the repository:\n${listed.stderr}`);
    rmSync(this.workspace, { recursive: true, force: true });
    for (const path of listed.stdout.split("\0").filter(Boolean)) {
      const [from, to] = [join(root, "..", path), join(this.workspace, path)];
      if (!existsSync(from)) continue;
      mkdirSync(dirname(to), { recursive: true });
      // With the time of its last change, by which cargo knows what to build.
      cpSync(from, to, { preserveTimestamps: true });
    }
    const failure = await this.play({});
    if (failure) throw new Error(`the unchanged contracts differ from the rules:\n${failure}`);
  }

  /**
   * Compares the rules with the bytecode of `artifacts` (text by contract) and that of the unchanged others.
   * @returns {Promise<string | undefined>} The call after which they differ; `undefined` if they don't.
   */
  async play(artifacts) {
    const folder = join(this.workspace, "contracts/artifacts");
    const originals = new Map();
    for (const [name, text] of Object.entries(artifacts)) {
      const path = join(folder, `${name}.json`);
      originals.set(path, readFileSync(path, "utf8"));
      writeFileSync(path, text);
    }
    try {
      const built = await this.#cargo(["build", "--quiet", "--package", "xtask"]);
      if (built.code !== 0) throw new Error(`cargo build failed:\n${built.stderr}`);
      const played = await this.#cargo(["xtask", "differential", "--calls", String(this.#calls)]);
      if (played.timedOut) return "it didn't end";
      return played.code === 0 ? undefined : played.stderr.trim().split("\n")[0].slice(0, 200);
    } finally {
      for (const [path, text] of originals) writeFileSync(path, text);
    }
  }

  #cargo(args) {
    const env = { CARGO_TARGET_DIR: join(this.workspace, "../build") };
    return run("cargo", args, { cwd: this.workspace, env, timeout: TIMEOUT });
  }
}
