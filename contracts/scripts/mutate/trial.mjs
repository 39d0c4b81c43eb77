// The trial of a mutant: from its source to how it ends.
import { createHash } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { Worker } from "node:worker_threads";
import { artifactOutputs, hasArtifacts, root, solidityFiles } from "../compiler.mjs";
import { Project, read } from "./forge.mjs";
import { apply } from "./mutants.mjs";

/** Runs of each fuzz test while there are other tests to try; most mutants need no more. */
const FEW_RUNS = 16;

/** Compilations by one thread, whose memory only grows. */
const COMPILATIONS = 100;

/** The compiler in a thread. */
class Compiler {
  #sources;
  #worker;
  #left = 0;

  constructor(sources) {
    this.#sources = sources;
  }

  /** The errors or the artifacts of the sources with `changed` ones. */
  async compile(changed, selection) {
    if (this.#left === 0) {
      await this.end();
      this.#worker = new Worker(new URL("./compiler-worker.mjs", import.meta.url), { workerData: { sources: this.#sources } });
      this.#left = COMPILATIONS;
    }
    this.#left--;
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      worker.once("error", reject);
      worker.once("message", (answer) => {
        worker.off("error", reject);
        resolve(answer);
      });
      worker.postMessage({ changed, selection });
    });
  }

  async end() {
    await this.#worker?.terminate();
  }
}

/** What is known of the contracts and their tests before anything is changed. */
export class Contracts {
  /** The compiler's ASTs by path. */
  #units;
  /** Test files, and which sources they name in their imports. */
  #tests;

  /** @param {Record<string, string>} sources */
  constructor(units, sources) {
    this.#units = units;
    this.sources = sources;
    this.#tests = solidityFiles(join(root, "test"))
      .map((file) => relative(root, file))
      .filter((file) => file.endsWith(".t.sol"))
      .map((file) => ({ file, imports: [...read(file).matchAll(/^import\b[^"]*"canon\/([^"]+)"/gm)].map(([, path]) => `src/${path}`) }));
    this.artifacts = Object.fromEntries(
      readdirSync(join(root, "artifacts")).map((file) => [basename(file, ".json"), read(join("artifacts", file))]),
    );
  }

  /** Everything that decides how the tests of the unchanged contracts end. */
  digest() {
    const hash = createHash("sha256");
    const tests = solidityFiles(join(root, "test")).map((file) => [relative(root, file), read(relative(root, file))]);
    const others = [["foundry.toml", read("foundry.toml")], ...Object.entries(this.artifacts)];
    for (const [name, text] of [...Object.entries(this.sources), ...tests, ...others]) hash.update(`${name}\0${text}\0`);
    return hash.digest("hex").slice(0, 16);
  }

  /** solc's selection of everything that has bytecode and depends on `file`. */
  dependents(file) {
    const selection = {};
    for (const [path, { ast }] of Object.entries(this.#units)) {
      if (!hasArtifacts(path) || !this.#imports(path, file, new Set())) continue;
      for (const contract of ast.nodes) {
        const deployable = contract.nodeType === "ContractDefinition" && contract.contractKind === "contract" && !contract.abstract;
        if (deployable) selection[path] = { ...selection[path], [contract.name]: artifactOutputs };
      }
    }
    return selection;
  }

  #imports(path, file, seen) {
    if (path === file) return true;
    if (seen.has(path)) return false;
    seen.add(path);
    return (this.#units[path]?.ast.nodes ?? []).some(
      (node) => node.nodeType === "ImportDirective" && this.#imports(node.absolutePath, file, seen),
    );
  }

  /** Test files that compile `file`, and not its artifact, into themselves. */
  directTests(file) {
    return this.#tests.filter(({ imports }) => imports.includes(file)).map((test) => test.file);
  }

  /** Unit tests of the contracts called `names`. */
  unitTests(names) {
    const concerns = (file) => file.startsWith("test/unit/") && names.some((name) => basename(file).startsWith(name));
    return this.#tests.map((test) => test.file).filter(concerns);
  }

  /** All test files that import sources directly, other than interfaces. */
  get direct() {
    const sources = (path) => !path.startsWith("src/interfaces/");
    return this.#tests.filter(({ imports }) => imports.some(sources)).map((test) => test.file);
  }
}

/** @typedef {{own: number, few: number, all: number}} Seconds Of the stages of a trial. */

/** What tries mutants, one after the other. */
export class Tester {
  #contracts;
  #compiler;
  #dir;
  /** Where only artifacts are changed, so that forge compiles nothing. */
  #deployed;
  /** Where sources are changed. */
  #direct;

  /**
   * @param {Contracts} contracts
   * @param {string} origin A compiled copy of contracts/.
   * @param {string} dir A folder for this tester alone.
   * @param {number} threads Of forge.
   */
  constructor(contracts, origin, dir, threads) {
    this.#contracts = contracts;
    this.#compiler = new Compiler(contracts.sources);
    this.#dir = dir;
    this.#deployed = Project.copy(origin, join(dir, "deployed"), threads);
    this.#direct = Project.copy(origin, join(dir, "direct"), threads);
  }

  async end() {
    await this.#compiler.end();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /**
   * Sees that the unchanged contracts pass, and how long each stage takes.
   * @returns {Promise<Seconds>}
   */
  async baseline() {
    const { artifacts, errors } = await this.#compiler.compile({}, this.#contracts.dependents("src/interfaces/ICommon.sol"));
    if (errors) throw new Error(errors.join("\n"));
    for (const [name, text] of Object.entries(artifacts)) {
      if (this.#contracts.artifacts[name] !== text) throw new Error(`artifacts/${name}.json isn't what the sources compile to: run \`npm run artifacts\``);
    }
    const seconds = {};
    const { direct } = this.#contracts;
    const stages = { own: { files: direct }, few: { except: ["test/invariant/*"], runs: FEW_RUNS }, all: {} };
    for (const [name, options] of Object.entries(stages)) {
      const began = performance.now();
      const failure = options.files?.length === 0 ? undefined : await this.#deployed.test({ ...options, timeout: 3600 });
      if (failure) throw new Error(`the unchanged contracts fail: ${failure}`);
      seconds[name] = (performance.now() - began) / 1000;
    }
    return seconds;
  }

  /**
   * Compiles `mutant`.
   * @returns {Promise<Record<string, string> | undefined>} The artifacts that differ, by contract; `undefined` if it doesn't compile.
   */
  async artifacts(mutant) {
    const { artifacts, errors } = await this.#compiler.compile(this.#change(mutant), this.#contracts.dependents(mutant.file));
    if (errors) return undefined;
    const code = (text) => JSON.parse(text).bytecode.object;
    return Object.fromEntries(
      Object.entries(artifacts).filter(([name, text]) => code(text) !== code(this.#contracts.artifacts[name])),
    );
  }

  #change(mutant) {
    return { [mutant.file]: apply(mutant, this.#contracts.sources[mutant.file]) };
  }

  /**
   * Tries `mutant` with few runs of each fuzz test, and without the invariants.
   * @param {Seconds} seconds What the stages take without a change.
   * @returns {Promise<{outcome: string, stage?: string, by?: string}>}
   */
  async tryFew(mutant, seconds) {
    const timeout = limit(seconds.few);
    const direct = this.#contracts.directTests(mutant.file);
    if (direct.length > 0) {
      const { errors } = await this.#compiler.compile(this.#change(mutant), { "*": { "*": ["abi"] } });
      if (errors) return { outcome: "uncompiled" };
      this.#direct.write(mutant.file, this.#change(mutant)[mutant.file]);
      const by = await this.#direct.test({ files: direct, timeout: limit(seconds.own) });
      this.#direct.write(mutant.file, this.#contracts.sources[mutant.file]);
      if (by) return { outcome: "caught", stage: "own tests", by };
    }
    return this.#deploy(mutant, (names) => {
      const unit = this.#contracts.unitTests(names);
      const other = { except: ["test/invariant/*", ...unit], runs: FEW_RUNS, timeout };
      return unit.length === 0 ? { "other tests": other } : { "unit tests": { files: unit, runs: FEW_RUNS, timeout }, "other tests": other };
    });
  }

  /** Tries `mutant` with all tests, as `npm test` runs them; see `tryFew`. */
  async tryAll(mutant, seconds) {
    return this.#deploy(mutant, () => ({ "all tests": { timeout: limit(seconds.all) } }));
  }

  /** Tests `mutant` in the stages that `stagesOf` the names of the changed contracts, until a test fails. */
  async #deploy(mutant, stagesOf) {
    const artifacts = await this.artifacts(mutant);
    if (!artifacts) return { outcome: "uncompiled" };
    const names = Object.keys(artifacts);
    if (names.length === 0) return { outcome: "equal" };
    for (const name of names) this.#deployed.write(`artifacts/${name}.json`, artifacts[name]);
    try {
      for (const [stage, options] of Object.entries(stagesOf(names))) {
        const by = await this.#deployed.test(options);
        if (by) return { outcome: "caught", stage, by };
      }
      return { outcome: "survived" };
    } finally {
      for (const name of names) this.#deployed.write(`artifacts/${name}.json`, this.#contracts.artifacts[name]);
    }
  }
}

/** Seconds after which tests that take `seconds` without a change don't end any more. */
function limit(seconds) {
  return 60 + 5 * seconds;
}
