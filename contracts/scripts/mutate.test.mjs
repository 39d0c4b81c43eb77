import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import solc from "solc";
import { compile, readSources } from "./compiler.mjs";
import { apply, difference, isMutated, mutantsOf, sample } from "./mutate/mutants.mjs";
import { Results } from "./mutate/results.mjs";

const AST = { "*": { "": ["ast"] } };

/** The mutants of a contract with `members`, derived from `base` if there is one. */
function mutants(members, base = "") {
  const text = `pragma solidity 0.8.30; ${base} contract C ${base && "is B"} { ${members} }`;
  const { sources, errors } = compile({ "src/C.sol": text }, AST);
  assert.deepEqual((errors ?? []).filter((e) => e.severity === "error"), [], text);
  return { text, found: mutantsOf(sources, { "src/C.sol": text }, (path) => path === "src/C.sol") };
}

const STATE = "uint256 a; uint256 b; bool p; bool q; event E(uint256 x, uint256 y); error R(uint256 x, uint256 y);";

const cases = [
  ["a boundary moves", "p = a < b;", ["boundary: < -> <=", "statement: p = a < b; -> "]],
  ["so does the other one", "p = a >= b;", ["boundary: >= -> >", "statement: p = a >= b; -> "]],
  ["an operator changes", "a = a + b;", ["operator: + -> -", "statement: a = a + b; -> "]],
  ["with its binding", "a = a | a & b;", ["operator: a & b -> (a | b)", "operator: a | a & b -> (a & a & b)", "statement: a = a | a & b; -> "]],
  ["with the binding of its neighbors", "a = a & a & b;", ["operator: a & a & b -> ((a & a) | b)", "operator: a & a -> (a | a)", "statement: a = a & a & b; -> "]],
  ["also in an assignment", "a <<= b;", ["operator: <<= -> >>=", "statement: a <<= b; -> "]],
  ["also before or behind a variable", "a++; --b;", ["operator: ++ -> --", "operator: -- -> ++", "statement: --b; -> ", "statement: a++; -> "]],
  ["an operator isn't looked for in a comment", "a = a /* + */ + b;", ["operator: + -> -", "statement: a = a /* + */ + b; -> "]],
  ["a number changes by one", "a = 7;", ["constant: 7 -> 6", "constant: 7 -> 8", "statement: a = 7; -> "]],
  ["not below 0", "a = 0;", ["constant: 0 -> 1", "statement: a = 0; -> "]],
  ["a number with a unit too", "a = 2 hours;", ["constant: 2 hours -> (2 hours + 1)", "constant: 2 hours -> (2 hours - 1)", "statement: a = 2 hours; -> "]],
  ["with as many digits", "a = 0x0f;", ["constant: 0x0f -> 0x0e", "constant: 0x0f -> 0x10", "statement: a = 0x0f; -> "]],
  ["the greatest of a type", "a = type(uint8).max;", ["constant: type(uint8).max -> (type(uint8).max - 1)", "statement: a = type(uint8).max; -> "]],
  ["a truth", "p = true;", ["constant: true -> false", "statement: p = true; -> "]],
  [
    "a check is removed and negated",
    "if (a < b) revert R(a, b);",
    ["argument: a, b -> b, a", "boundary: < -> <=", "check: a < b -> !(a < b)", "check: if (a < b) revert R(a, b); -> "],
  ],
  ["an equality is negated once", "if (a == b) { revert R(a, a); }", ["check: if (a == b) { revert R(a, a); } -> ", "operator: == -> !="]],
  ["so is a negation", "if (!p) revert R(a, a);", ["check: !p -> p", "check: if (!p) revert R(a, a); -> "]],
  [
    "a condition loses either part",
    "if (p && q) a = b;",
    ["check: p && q -> !(p && q)", "check: p && q -> p", "check: p && q -> q", "operator: p && q -> (p || q)", "statement: if (p && q) a = b; -> "],
  ],
  ["a branch without a block keeps one", "if (p) a = b; else b = a;", ["check: p -> !(p)", "statement: a = b; -> {}", "statement: b = a; -> {}", "statement: if (p) a = b; else b = a; -> "]],
  ["an event goes, or its arguments are swapped", "emit E(a, b);", ["event: a, b -> b, a", "event: emit E(a, b); -> "]],
  ["a string stays", 'revert("a < b");', ['check: revert("a < b"); -> ']],
  ["arguments of other types aren't swapped", "g(a, p);", ["statement: g(a, p); -> "]],
  ["nor where it changes nothing", "g2(a, a);", ["statement: g2(a, a); -> "]],
  ["parts of a tuple", "(a, b) = (b, a);", ["argument: b, a -> a, b", "statement: (a, b) = (b, a); -> "]],
  ["a variable isn't set", "uint256 x = a; b = x;", ["statement:  = a -> ", "statement: b = x; -> "]],
  ["a reference has to be", "uint256[] memory x = new uint256[](a); h(x);", ["statement: h(x); -> "]],
  ["an order that matters", "a = b; b = a;", ["order: a = b; b = a; -> b = a; a = b;", "statement: a = b; -> ", "statement: b = a; -> "]],
  ["an order that doesn't", "a = 5; p = q;", ["constant: 5 -> 4", "constant: 5 -> 6", "statement: a = 5; -> ", "statement: p = q; -> "]],
  [
    "an order of refusals",
    "if (p) revert R(a, a); if (q) revert R(b, b);",
    [
      "check: if (p) revert R(a, a); -> ",
      "check: if (q) revert R(b, b); -> ",
      "check: p -> !(p)",
      "check: q -> !(q)",
      "order: if (p) revert R(a, a); if (q) revert R(b, b); -> if (q) revert R(b, b); if (p) revert R(a, a);",
    ],
  ],
  [
    "no order of the same refusals",
    "if (p) revert R(a, a); if (q) revert R(a, a);",
    ["check: if (p) revert R(a, a); -> ", "check: if (q) revert R(a, a); -> ", "check: p -> !(p)", "check: q -> !(q)"],
  ],
  ["an order with a function's effects", "set(); b = a;", ["order: set(); b = a; -> b = a; set();", "statement: b = a; -> ", "statement: set(); -> "]],
  ["an order without any", "set(); p = q;", ["statement: p = q; -> ", "statement: set(); -> "]],
  ["a return ends a block", "a = b; return;", ["statement: a = b; -> "]],
  [
    "assembly",
    'assembly ("memory-safe") { let x := add(1, 2) if lt(x, 3) { mstore(0, x) } }',
    [
      "argument: 0, x -> x, 0",
      "argument: x, 3 -> 3, x",
      "boundary: lt(x, 3) -> iszero(gt(x, 3))",
      "check: lt(x, 3) -> iszero(lt(x, 3))",
      "constant: 0 -> 1",
      "constant: 1 -> 0",
      "constant: 1 -> 2",
      "constant: 2 -> 1",
      "constant: 2 -> 3",
      "constant: 3 -> 2",
      "constant: 3 -> 4",
      "operator: add -> sub",
      "statement: if lt(x, 3) { mstore(0, x) } -> ",
      "statement: mstore(0, x) -> ",
    ],
  ],
];

const HELPERS = `${STATE}
  function g(uint256, bool) private {} function g2(uint256, uint256) private {} function h(uint256[] memory) private {}`;

for (const [name, body, expected] of cases) {
  test(`mutants: ${name}`, () => {
    // Functions whose own mutants aren't looked at come after `f`.
    const { found } = mutants(`${HELPERS} function f() external { ${body} } function set() private { a = 5; }`);
    const ours = found.filter(({ where }) => where === "C.f").map(({ kind, before, after }) => `${kind}: ${before} -> ${after}`);
    assert.deepEqual(ours.sort(), [...expected].sort());
  });
}

test("mutants: a modifier is removed, a base's constructor isn't", () => {
  const { found } = mutants("uint256 a; modifier m() { a = 7; _; } constructor() B(a) {} function f() external m {}", "contract B { constructor(uint256) {} }");
  assert.deepEqual(
    found.filter(({ kind }) => kind !== "constant").map(({ kind, where, before, after }) => `${kind} in ${where}: ${before} -> ${after}`),
    ["statement in C.m: a = 7; -> ", "order in C.m: a = 7; _; -> _; a = 7;", "check in C.f: m -> "],
  );
});

test("mutants: places are bytes, as the compiler counts", () => {
  const { text, found } = mutants("uint256 a; /* é */ function f() external { a = 7; }");
  const changed = found.filter(({ kind }) => kind === "constant").map((mutant) => apply(mutant, text));
  assert.deepEqual(changed, [text.replace("7", "6"), text.replace("7", "8")]);
});

test("a diff shows the lines that change", () => {
  const text = "one\ntwo\nthree\n";
  const mutant = { file: "src/C.sol", start: 4, end: 7, after: "2" };
  assert.equal(difference(mutant, text), "@@ src/C.sol:2 @@\n-two\n+2");
});

const sources = readSources();
const units = compile(sources, AST).sources;
const ours = mutantsOf(units, sources, isMutated);

test("the contracts have mutants of every kind, each with its own id", () => {
  const kinds = new Set(ours.map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), ["argument", "boundary", "check", "constant", "event", "operator", "order", "statement"]);
  assert.equal(new Set(ours.map(({ id }) => id)).size, ours.length);
  const files = [...new Set(ours.map(({ file }) => file))];
  assert.deepEqual(files.sort(), Object.keys(sources).filter(isMutated).sort());
  assert.ok(files.includes("src/lens/SetLens.sol"));
});

test("the mutants of the contracts are the same in every run", () => {
  assert.deepEqual(mutantsOf(compile(sources, AST).sources, sources, isMutated), ours);
});

test("every mutant of the contracts can be parsed and differs by more than comments", () => {
  const code = (text) => text.replace(/("[^"\n]*")|\/\*.*?\*\/|\/\/[^\n]*/gs, "$1").replace(/\s+/g, " ");
  const settings = { stopAfter: "parsing", outputSelection: {} };
  // The compiler's memory doesn't suffice for all at once.
  for (let from = 0; from < ours.length; from += 100) {
    const files = ours
      .slice(from, from + 100)
      .map((mutant) => [`${mutant.id}.sol`, { content: apply(mutant, sources[mutant.file]).replace(/^import\b[^;]*;/gm, "") }]);
    const input = { language: "Solidity", sources: Object.fromEntries(files), settings };
    const { errors } = JSON.parse(solc.compile(JSON.stringify(input)));
    assert.deepEqual((errors ?? []).filter((e) => e.severity === "error").map((e) => e.formattedMessage), []);
  }
  for (const mutant of ours) {
    const text = sources[mutant.file];
    assert.notEqual(code(apply(mutant, text)), code(text), difference(mutant, text));
  }
});

test("a sample depends on its seed alone, and a greater one contains it", () => {
  const ten = sample(ours, 10, "1");
  assert.deepEqual(sample([...ours].reverse(), 10, "1"), ten);
  assert.deepEqual(sample(ours, 25, "1").slice(0, 10), ten);
  assert.notDeepEqual(sample(ours, 10, "2"), ten);
  assert.equal(sample(ours, ours.length + 1, "1").length, ours.length);
});

test("results outlive a run, even one that ended within a line", () => {
  const dir = mkdtempSync(join(tmpdir(), "canon-results-"));
  try {
    const path = join(dir, "results.jsonl");
    const first = new Results(path);
    first.add({ baseline: "digest", seconds: { all: 1 } });
    first.add({ id: "one", outcome: "survived", line: 3 });
    appendFileSync(path, '{"id":"two","outc');

    const second = new Results(path);
    assert.equal(second.of("two"), undefined);
    assert.equal(second.of("digest"), undefined);
    assert.deepEqual(second.baseline("digest").seconds, { all: 1 });
    second.add({ id: "one", differential: { calls: 5, caught: true } });
    second.add({ id: "two", outcome: "caught" });

    const third = new Results(path);
    assert.deepEqual(third.of("one"), { id: "one", outcome: "survived", line: 3, differential: { calls: 5, caught: true } });
    assert.equal(third.of("two").outcome, "caught");
    assert.equal(readFileSync(path, "utf8").split("\n").length, 6);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("a run fails exactly if a survivor isn't listed", () => {
  const dir = mkdtempSync(join(tmpdir(), "canon-known-"));
  try {
    const [survivor, other] = ours;
    const results = join(dir, "results.jsonl");
    const known = join(dir, "mutants.md");
    writeFileSync(results, JSON.stringify({ id: survivor.id, outcome: "survived", tests: "all" }) + "\n");
    appendFileSync(results, JSON.stringify({ id: other.id, outcome: "caught", tests: "few" }) + "\n");
    const script = fileURLToPath(new URL("mutate.mjs", import.meta.url));
    const run = (only) => {
      const done = spawnSync(process.execPath, [script, "--only", only, "--results", results, "--known", known], { encoding: "utf8" });
      return { status: done.status, unlisted: done.stderr.includes(survivor.id), obsolete: done.stdout.match(/lists (.*), which/)?.[1] };
    };
    const both = `${survivor.id},${other.id}`;
    assert.deepEqual(run(both), { status: 1, unlisted: true, obsolete: undefined });
    assert.deepEqual(run(other.id), { status: 0, unlisted: false, obsolete: undefined });
    writeFileSync(known, `The survivor ${survivor.id}, but in no row.\n| id | reason |\n| --- | --- |\n| ${other.id} | caught |\n`);
    assert.deepEqual(run(both), { status: 1, unlisted: true, obsolete: other.id });
    writeFileSync(known, `| id | reason |\n| --- | --- |\n| ${survivor.id} | equal |\n| 0123456789 | gone |\n`);
    assert.deepEqual(run(both), { status: 0, unlisted: false, obsolete: "0123456789" });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
