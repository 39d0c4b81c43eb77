// Checks that the Solidity sources are documented, and prints a line `file:line: name: lacks @param x` for each gap.
//
//   npm --prefix contracts run natspec
//
// In the compiler's AST it looks for
//   src/interfaces, src/core, src/payloads   external functions, events and errors: @notice, a @param for each parameter,
//                                            a @return for each returned value; public variables: @notice
//   src/libraries, src/types                 functions that aren't private: @notice
//   src/interfaces, src/lens, src/libraries, src/types
//                                            structs, enums and value types: @notice
//   src                                      contracts, libraries and interfaces: @title
//
// Text before the first tag is a notice, and a tag without a description doesn't count. `@inheritdoc` replaces all tags:
// what it inherits is checked where it is declared. A tag for a parameter that doesn't exist is the compiler's error.
import { fileURLToPath } from "node:url";
import { compile, readSources } from "./compiler.mjs";

/** The tags of a documentation comment, in order, each with the words that follow it. */
function tagsOf(comment) {
  const parts = comment.split(/^\s*(?=@)/m).map((part) => part.trim());
  return parts.filter(Boolean).map((part) => {
    const words = part.split(/\s+/);
    return { tag: words[0].startsWith("@") ? words.shift() : "@notice", words };
  });
}

/** The place of `node` in its file, in bytes. */
function offset(node) {
  return Number(node.src.split(":")[0]);
}

/** The documentation comment of `node`. The AST has none for value types, so theirs is read from `text`. */
function commentOf(node, text) {
  if (node.nodeType !== "UserDefinedValueTypeDefinition") return node.documentation?.text ?? "";
  const lines = text.subarray(0, offset(node)).toString().trimEnd().split("\n");
  const first = lines.findLastIndex((line) => !line.startsWith("///")) + 1;
  return lines.slice(first).map((line) => line.slice(3)).join("\n");
}

/** The tags that `node` of `file` must have: "@notice", "@param name", … */
function required(node, file) {
  const everything = () => [
    "@notice",
    ...node.parameters.parameters.map(({ name }) => `@param ${name || "of a parameter without a name"}`),
    ...(node.returnParameters?.parameters ?? []).map(({ name }) => `@return ${name}`.trimEnd()),
  ];
  const isExternal = node.visibility === "external" || node.visibility === "public";
  switch (node.nodeType) {
    case "ContractDefinition":
      return ["@title"];
    case "FunctionDefinition":
      if (/^src\/(libraries|types)\//.test(file)) return node.visibility === "private" ? [] : ["@notice"];
      return isExternal && node.kind !== "constructor" ? everything() : [];
    case "EventDefinition":
    case "ErrorDefinition":
      return everything();
    case "VariableDeclaration":
      return isExternal ? ["@notice"] : [];
    case "StructDefinition":
    case "EnumDefinition":
    case "UserDefinedValueTypeDefinition":
      // Those of a contract are about its storage, which nobody else sees.
      return /^src\/(core|payloads)\//.test(file) ? [] : ["@notice"];
    default:
      return [];
  }
}

/** The tags that `node` of `file` must have and `comment` lacks. */
function lacking(node, file, comment) {
  const tags = tagsOf(comment);
  if (tags.some(({ tag }) => tag === "@inheritdoc")) return [];
  // The compiler has checked that these are in the order of the values and begin with their names.
  const returns = tags.filter(({ tag }) => tag === "@return");
  return required(node, file).filter((wanted) => {
    const [kind, name] = wanted.split(" ");
    if (kind === "@return") return (returns.shift()?.words ?? []).length < (name ? 2 : 1);
    return !tags.some(({ tag, words }) => tag === kind && (name ? words[0] === name && words.length > 1 : words.length > 0));
  });
}

/** What the documentation of `sources` (text by path) lacks, as lines of text. `units` is what the compiler made of them. */
export function gaps(units, sources) {
  return Object.entries(sources).flatMap(([file, content]) => {
    const text = Buffer.from(content);
    const gapsIn = (nodes, prefix) =>
      nodes.flatMap((node) => {
        const line = text.subarray(0, offset(node)).toString().split("\n").length;
        const name = prefix + (node.name || node.kind);
        const lines = lacking(node, file, commentOf(node, text)).map((tag) => `${file}:${line}: ${name}: lacks ${tag}`);
        return node.nodeType === "ContractDefinition" ? [...lines, ...gapsIn(node.nodes, `${name}.`)] : lines;
      });
    return gapsIn(units[file].ast.nodes, "");
  });
}

function main() {
  const sources = readSources();
  const { sources: units, errors = [] } = compile(sources, { "*": { "": ["ast"] } });
  const problems = errors.filter((e) => e.severity === "error").map((e) => e.formattedMessage);
  const lines = problems.length > 0 ? problems : gaps(units, sources);
  for (const line of lines) process.stderr.write(`${line}\n`);
  if (lines.length > 0) process.exitCode = 1;
  else process.stdout.write(`${Object.keys(sources).length} files are documented\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
