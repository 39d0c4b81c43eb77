// Mutation testing of the Solidity sources: changes src/ in one place at a time and checks that a test fails.
//
//   npm --prefix contracts run mutate                       150 mutants, drawn with seed 1
//   npm --prefix contracts run mutate -- --sample 400       400, the 150 among them
//   npm --prefix contracts run mutate -- --all              every mutant: hours
//   npm --prefix contracts run mutate -- --only Issuer.sol  every mutant of a file
//   npm --prefix contracts run mutate -- --help             every option
//
// Mutants are found in the compiler's AST (mutate/mutants.mjs); their kinds are
//   boundary   < and <=, > and >=
//   constant   a number plus or minus 1, true and false
//   operator   + - * / % & | << >> && || == != ++ -- and their assignments
//   order      neighboring statements swapped, if their order may matter
//   argument   neighboring arguments of one type swapped
//   statement  an assignment, a call, a return or an `if` removed
//   check      a refusal or a modifier removed, a condition negated or halved
//   event      an event removed, or two of its arguments swapped
//
// A trial (mutate/trial.mjs) goes on until a test fails: first the tests that compile the changed file themselves; then,
// with the artifacts of the mutant in place of the committed ones, the unit tests of the contracts that changed and all
// others but the invariants, with few runs of each fuzz test. That takes seconds. When all mutants are through, those
// that survived are tried with all tests as `npm test` runs them, which takes minutes each. A mutant whose bytecode is
// that of the original is equal to it. The tests have to pass without a change: that is checked first, once for each
// state of the sources and tests.
//
// Every result is appended to the results file at once (mutate/results.mjs). A mutant in it isn't tried again until its
// file changes, or, for survivors, with --retry. So a run that was interrupted goes on where it was.
//
// The run fails if a mutant survived that mutants.md doesn't list with the reason (mutate/known.mjs).
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compile, readSources, root } from "./compiler.mjs";
import { Differential } from "./mutate/differential.mjs";
import { Project, endCommands } from "./mutate/forge.mjs";
import { knownSurvivors } from "./mutate/known.mjs";
import { difference, isMutated, mutantsOf, sample } from "./mutate/mutants.mjs";
import { OUTCOMES, Results } from "./mutate/results.mjs";
import { Contracts, Tester } from "./mutate/trial.mjs";

const HELP = `Change the Solidity sources in one place at a time and check that a test fails

Usage: npm --prefix contracts run mutate -- [options]

  --sample N      Try N mutants, drawn at random [default: 150]; a greater sample contains a smaller one
  --seed S        Seed of the draw [default: 1]
  --all           Try every mutant
  --only LIST     Try only these: ids, or ends of file names, separated by commas
  --kind LIST     Try only these kinds: boundary, constant, operator, order, argument, statement, check, event
  --list          List the mutants, with their diffs and results, and try none
  --retry         Try again the mutants that survived
  --few           Don't try survivors with all runs of the fuzz tests and the invariants
  --jobs J        Mutants at a time [default: 1]; they share the processor's cores
  --results FILE  Where results are kept [default: contracts/mutants.jsonl]
  --known FILE    Where survivors are listed with their reasons [default: contracts/mutants.md]
  --differential  Then run \`cargo xtask differential\` with each survivor; the first build takes minutes
  --calls N       Calls of that test [default: 200000]
  --help          Print this

The end of every run is a summary of all mutants that were selected, with the diff of each survivor. The exit status is
1 if a survivor isn't listed in mutants.md.
Ctrl-C ends a run and removes its temporary folders; the next run goes on from there.
`;

function options() {
  const { values } = parseArgs({
    options: {
      sample: { type: "string" },
      seed: { type: "string", default: "1" },
      all: { type: "boolean", default: false },
      only: { type: "string" },
      kind: { type: "string" },
      list: { type: "boolean", default: false },
      retry: { type: "boolean", default: false },
      few: { type: "boolean", default: false },
      jobs: { type: "string", default: "1" },
      results: { type: "string", default: join(root, "mutants.jsonl") },
      known: { type: "string", default: join(root, "mutants.md") },
      differential: { type: "boolean", default: false },
      calls: { type: "string", default: "200000" },
      help: { type: "boolean", default: false },
    },
  });
  for (const name of ["sample", "jobs", "calls"]) {
    if (values[name] !== undefined && !/^[1-9]\d*$/.test(values[name])) {
      throw new Error(`--${name} ${values[name]}: expected a whole number above 0`);
    }
  }
  return values;
}

/** The mutants that the options name. */
function selected(mutants, { sample: count, seed, all, only, kind }) {
  const names = only?.split(",");
  const kinds = kind?.split(",");
  const matching = mutants.filter(
    (mutant) =>
      (!names || names.some((name) => mutant.id === name || mutant.file.endsWith(name))) && (!kinds || kinds.includes(mutant.kind)),
  );
  if (matching.length === 0) throw new Error("no mutant matches: --list --all shows all");
  if (all || (count === undefined && only)) return matching;
  return sample(matching, Number(count ?? 150), seed);
}

function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

const title = (mutant) => `${mutant.id} ${mutant.file}:${mutant.line} ${mutant.where} (${mutant.kind})`;

function summary(mutants, results, sources, total) {
  const tried = mutants.filter(({ id }) => results.of(id));
  const parts = Object.entries(OUTCOMES).map(([outcome, words]) => `${tried.filter(({ id }) => results.of(id).outcome === outcome).length} ${words}`);
  process.stdout.write(`\n${tried.length} of ${total} mutants tried: ${parts.join(", ")}\n`);
  const survivors = tried.filter(({ id }) => results.of(id).outcome === "survived");
  const unfinished = survivors.filter(({ id }) => results.of(id).tests === "few").length;
  if (unfinished > 0) process.stdout.write(`${unfinished} of the survivors were tried with few runs of each fuzz test and without the invariants\n`);
  const compared = survivors.map(({ id }) => results.of(id).differential).filter(Boolean);
  if (compared.length > 0) {
    const caught = compared.filter((differential) => differential.caught).length;
    process.stdout.write(`the differential test, run with ${compared.length} of the survivors, catches ${caught}\n`);
  }
  for (const mutant of survivors) {
    const { differential } = results.of(mutant.id);
    const verdict = differential && `\nthe differential test ${differential.caught ? `catches it: ${differential.by}` : `finds no difference in ${differential.calls} calls`}`;
    process.stdout.write(`\n${title(mutant)}${verdict ?? ""}\n${difference(mutant, sources[mutant.file])}\n`);
  }
}

/** Reports the survivors among `mutants` that the file at `path` doesn't list, and what it lists in vain. */
function compareWithKnown(mutants, all, results, path) {
  const known = knownSurvivors(path);
  const survived = (id) => results.of(id)?.outcome === "survived";
  const ids = new Set(all.map(({ id }) => id));
  const unlisted = mutants.filter(({ id }) => survived(id) && !known.has(id));
  const obsolete = [...known].filter((id) => !ids.has(id) || (results.of(id) && !survived(id)));
  if (obsolete.length > 0) process.stdout.write(`\n${path} lists ${obsolete.join(", ")}, which no longer survive or exist\n`);
  if (unlisted.length > 0) {
    process.stderr.write(`\n${path} doesn't list these survivors; test what they change, or add the reason why no test can:\n`);
    process.stderr.write(unlisted.map((mutant) => `${title(mutant)}\n`).join(""));
    process.exitCode = 1;
  }
}

/** Folders that are removed at the end of the run, however it ends. */
const temporary = new Set();

function temporaryFolder() {
  const dir = mkdtempSync(join(tmpdir(), "canon-mutants-"));
  temporary.add(dir);
  return dir;
}

function tidy() {
  endCommands();
  for (const dir of temporary) rmSync(dir, { recursive: true, force: true });
}

/** Tries `mutants`, `jobs` at a time, where `results` has no final result, and adds what comes out. */
async function tryMutants(mutants, contracts, results, { jobs, retry, few }) {
  const result = ({ id }) => results.of(id);
  const fresh = mutants.filter((m) => !result(m) || (retry && result(m).outcome === "survived"));
  const unfinished = () => (few ? [] : mutants.filter((m) => result(m).outcome === "survived" && result(m).tests === "few"));
  if (fresh.length === 0 && unfinished().length === 0) return;

  const dir = temporaryFolder();
  const threads = Math.max(1, Math.floor(availableParallelism() / jobs));
  process.stdout.write("compiling the tests\n");
  const origin = join(dir, "origin");
  await Project.copy(root, origin, threads).build();
  const testers = Array.from({ length: jobs }, (_, i) => new Tester(contracts, origin, join(dir, `${i}`), threads));
  const digest = contracts.digest();
  if (!results.baseline(digest)) {
    process.stdout.write("testing the unchanged contracts\n");
    results.add({ baseline: digest, seconds: await testers[0].baseline() });
  }
  const { seconds } = results.baseline(digest);

  await share(fresh, testers, results, "few", (tester, mutant) => tester.tryFew(mutant, seconds));
  await share(unfinished(), testers, results, "all", (tester, mutant) => tester.tryAll(mutant, seconds));
  await Promise.all(testers.map((tester) => tester.end()));
  rmSync(dir, { recursive: true, force: true });
}

/** Shares `mutants` among `testers`, each of which takes the next one when it is ready. */
async function share(mutants, testers, results, tests, attempt) {
  const queue = [...mutants];
  const began = performance.now();
  let done = 0;
  const work = async (tester) => {
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const start = performance.now();
      const result = await attempt(tester, mutant);
      const took = Math.round((performance.now() - start) / 100) / 10;
      const { id, file, line, where, kind } = mutant;
      results.add({ id, file, line, where, kind, tests, ...result, seconds: took });
      done++;
      const left = ((performance.now() - began) / 1000 / done) * (mutants.length - done);
      const position = `[${String(done).padStart(String(mutants.length).length)}/${mutants.length}, ${duration(left)} left]`;
      process.stdout.write(`${position} ${result.outcome} in ${took} s: ${title(mutant)}${result.by ? ` by ${result.by}` : ""}\n`);
    }
  };
  await Promise.all(testers.map(work));
}

/** Runs the differential test with each of `survivors`. */
async function compareAll(survivors, contracts, results, calls) {
  const dir = temporaryFolder();
  process.stdout.write("building the differential test\n");
  const differential = new Differential(calls);
  temporary.add(differential.workspace);
  await differential.prepare();
  const tester = new Tester(contracts, root, join(dir, "0"), 1);
  for (const mutant of survivors) {
    const by = await differential.play(await tester.artifacts(mutant));
    results.add({ id: mutant.id, differential: { calls, caught: by !== undefined, by } });
    process.stdout.write(`${by ? "caught" : "survived"} the differential test: ${title(mutant)}${by ? ` by ${by}` : ""}\n`);
  }
  await tester.end();
}

async function main() {
  const chosen = options();
  if (chosen.help) {
    process.stdout.write(HELP);
    return;
  }
  const sources = readSources();
  const { sources: units, errors = [] } = compile(sources, { "*": { "": ["ast"] } });
  const problems = errors.filter((e) => e.severity === "error");
  if (problems.length > 0) throw new Error(problems.map((e) => e.formattedMessage).join("\n"));
  const all = mutantsOf(units, sources, isMutated);
  const mutants = selected(all, chosen);
  const results = new Results(chosen.results);
  if (chosen.list) {
    for (const mutant of mutants) {
      const outcome = results.of(mutant.id)?.outcome ?? "not tried";
      process.stdout.write(`${title(mutant)}: ${outcome}\n${difference(mutant, sources[mutant.file])}\n\n`);
    }
    return;
  }

  const contracts = new Contracts(units, sources);
  const survived = ({ id }) => results.of(id)?.outcome === "survived";
  const stop = (signal) => {
    tidy();
    summary(mutants, results, sources, all.length);
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", stop).on("SIGTERM", stop).on("exit", tidy);
  await tryMutants(mutants, contracts, results, { ...chosen, jobs: Number(chosen.jobs) });
  if (chosen.differential) {
    const calls = Number(chosen.calls);
    const open = mutants.filter((m) => survived(m) && !(results.of(m.id).differential?.calls >= calls));
    if (open.length > 0) await compareAll(open, contracts, results, calls);
  }
  summary(mutants, results, sources, all.length);
  compareWithKnown(mutants, all, results, chosen.known);
}

// Whoever reads the output may have enough of it.
process.stdout.on("error", (error) => process.exit(error.code === "EPIPE" ? 0 : 1));

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
