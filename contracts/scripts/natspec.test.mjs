import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "./compiler.mjs";
import { gaps } from "./natspec.mjs";

/** What the check finds in `files` (text by path), without the names of the files. */
function found(files) {
  const sources = Object.fromEntries(
    Object.entries(files).map(([path, text]) => [path, `// SPDX-License-Identifier: MIT\npragma solidity 0.8.30;\n${text}`]),
  );
  const { sources: units, errors } = compile(sources, { "*": { "": ["ast"] } });
  assert.deepEqual((errors ?? []).filter((e) => e.severity === "error").map((e) => e.message), []);
  return gaps(units, sources);
}

/** What the check finds in an interface with `members`. */
const inInterface = (members) => found({ "src/interfaces/I.sol": `/// @title I\ninterface I {\n${members}\n}` });

const members = [
  ["a complete function", "/// @notice N.\n/// @param a A one.\n/// @return The sum.\n/// @return d A difference.\nfunction f(uint256 a) external returns (uint256, uint256 d);", []],
  ["a comment in a block", "/**\n * @notice N.\n * @param a A one.\n */\nfunction f(uint256 a) external;", []],
  ["a notice without a tag", "/// Returns all,\n/// é included.\n///\n/// @param a A one.\nevent E(uint256 a);", []],
  ["a description in the next line", "/// @notice\n/// N.\nerror R();", []],
  ["no comment", "function f() external;", ["5: I.f: lacks @notice"]],
  ["no documentation but for developers", "/// @dev D.\nfunction f() external;", ["6: I.f: lacks @notice"]],
  ["an empty notice", "/// @notice\n/// @param a A one.\nfunction f(uint256 a) external;", ["7: I.f: lacks @notice"]],
  ["a parameter of a function", "/// @notice N.\n/// @param b B one.\nfunction f(uint256 a, uint256 b) external;", ["7: I.f: lacks @param a"]],
  ["a parameter of an event", "/// @notice N.\n/// @param a A one.\nevent E(uint256 a, uint256 indexed b);", ["7: I.E: lacks @param b"]],
  ["a parameter of an error", "/// @notice N.\nerror R(uint256 a, uint256 b);", ["6: I.R: lacks @param a", "6: I.R: lacks @param b"]],
  ["a parameter without a name", "/// @notice N.\nevent E(uint256);", ["6: I.E: lacks @param of a parameter without a name"]],
  ["a returned value", "/// @notice Returns a.\nfunction f() external returns (uint256);", ["6: I.f: lacks @return"]],
  ["the second returned value", "/// @notice N.\n/// @return A.\nfunction f() external returns (uint256, uint256);", ["7: I.f: lacks @return"]],
  ["a returned value with a name", "/// @notice N.\n/// @return a A one.\nfunction f() external returns (uint256 a, uint256 b);", ["7: I.f: lacks @return b"]],
  ["a name alone", "/// @notice N.\n/// @return a\nfunction f() external returns (uint256 a);", ["7: I.f: lacks @return a"]],
  ["a struct and an enum", "struct S { uint256 a; }\n/// @notice N.\nenum E { A }", ["5: I.S: lacks @notice"]],
];

for (const [name, text, expected] of members) {
  test(`natspec: ${name}`, () => {
    assert.deepEqual(inInterface(text), expected.map((line) => `src/interfaces/I.sol:${line}`));
  });
}

test("natspec: contracts, libraries and interfaces without a title", () => {
  const text = "/// @notice N.\ninterface I {}\ncontract C {}\nabstract contract A {}\nlibrary L {}\n/// @title T\nlibrary M {}";
  assert.deepEqual(found({ "src/core/C.sol": text }), [
    "src/core/C.sol:4: I: lacks @title",
    "src/core/C.sol:5: C: lacks @title",
    "src/core/C.sol:6: A: lacks @title",
    "src/core/C.sol:7: L: lacks @title",
  ]);
});

test("natspec: what a contract shows outside is documented or inherits its documentation", () => {
  const text = `
/// @title I
interface I {
/// @notice N.
/// @param a A one.
function f(uint256 a) external;
}
/// @title C
contract C is I {
struct Stored { uint256 a; }
uint256 private hidden;
uint256 public bare;
/// @notice N.
uint256 public documented;
event E();
constructor(uint256 a) { hidden = a; }
receive() external payable {}
/// @inheritdoc I
function f(uint256 a) external {}
function g() public {}
function h(uint256 a) internal {}
function i() private {}
}`;
  const expected = ["14: C.bare: lacks @notice", "17: C.E: lacks @notice", "19: C.receive: lacks @notice", "22: C.g: lacks @notice"];
  for (const file of ["src/core/C.sol", "src/payloads/C.sol"]) {
    assert.deepEqual(found({ [file]: text }), expected.map((line) => `${file}:${line}`));
  }
});

test("natspec: libraries and types need notices only", () => {
  const text = `
/// @notice N, in
/// two lines.
type Documented is uint256;

/// @dev D.
type Undocumented is uint256;

type Bare is uint256;
struct S { uint256 a; }
/// @title L
library L {
/// @notice N.
function f(uint256 a) internal returns (uint256) {}
/// @dev D.
function g(uint256 a) internal {}
function h(uint256 a) private {}
}`;
  const expected = ["9: Undocumented: lacks @notice", "11: Bare: lacks @notice", "12: S: lacks @notice", "18: L.g: lacks @notice"];
  for (const file of ["src/libraries/L.sol", "src/types/L.sol"]) {
    assert.deepEqual(found({ [file]: text }), expected.map((line) => `${file}:${line}`));
  }
});
