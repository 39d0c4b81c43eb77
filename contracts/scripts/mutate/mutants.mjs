// The changes of the sources that are tried, found in the compiler's AST.
import { createHash } from "node:crypto";
import { EffectReader, interfere } from "./effects.mjs";

/**
 * @typedef {object} Mutant One change of one file.
 * @property {string} id Of the file's name and text, the place and the change: the same in every run.
 * @property {string} file Path from contracts/.
 * @property {string} kind boundary, constant, operator, order, argument, statement, check or event.
 * @property {number} line Where it starts, counted from 1.
 * @property {string} where Contract and function.
 * @property {number} start First byte that is replaced.
 * @property {number} end The byte after the last one that is replaced.
 * @property {string} before What is there.
 * @property {string} after What it is replaced with.
 */

/** Nodes that are never changed: what they declare is the interface, or the code doesn't depend on it. */
const UNTOUCHED = new Set([
  "ArrayTypeName",
  "ElementaryTypeName",
  "EnumDefinition",
  "ErrorDefinition",
  "EventDefinition",
  "FunctionTypeName",
  "ImportDirective",
  "InheritanceSpecifier",
  "Mapping",
  "OverrideSpecifier",
  "ParameterList",
  "PragmaDirective",
  "StructDefinition",
  "StructuredDocumentation",
  "UserDefinedTypeName",
  "UserDefinedValueTypeDefinition",
  "UsingForDirective",
]);

const BOUNDARIES = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };

const OPERATORS = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "/",
  "**": "*",
  "&": "|",
  "|": "&",
  "^": "&",
  "<<": ">>",
  ">>": "<<",
  "&&": "||",
  "||": "&&",
  "==": "!=",
  "!=": "==",
};

const ASSIGNMENTS = {
  "+=": "-=",
  "-=": "+=",
  "*=": "/=",
  "/=": "*=",
  "%=": "/=",
  "&=": "|=",
  "|=": "&=",
  "^=": "|=",
  "<<=": ">>=",
  ">>=": "<<=",
};

/** Functions of assembly that are replaced by name. */
const YUL_OPERATORS = {
  add: "sub",
  sub: "add",
  mul: "div",
  div: "mul",
  mod: "div",
  and: "or",
  or: "and",
  xor: "and",
  shl: "shr",
  shr: "shl",
};

/** Functions of assembly whose negation is another change of them. */
const YUL_NEGATIONS = {
  lt: ["boundary", "gt"],
  gt: ["boundary", "lt"],
  eq: ["operator", "eq"],
  iszero: ["operator", "iszero"],
};

/** Functions whose arguments may be swapped without a change. */
const COMMUTATIVE = new Set(["add", "mul", "and", "or", "xor", "eq", "min", "max"]);

/** The source of `mutant`, of whose file `text` is the source. */
export function apply(mutant, text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([bytes.subarray(0, mutant.start), Buffer.from(mutant.after), bytes.subarray(mutant.end)]).toString();
}

/** The lines that `mutant` changes, as a diff shows them. */
export function difference(mutant, text) {
  const [before, after] = [text.split("\n"), apply(mutant, text).split("\n")];
  let top = 0;
  while (top < before.length && top < after.length && before[top] === after[top]) top++;
  let bottom = 0;
  const most = Math.min(before.length, after.length) - top;
  while (bottom < most && before[before.length - 1 - bottom] === after[after.length - 1 - bottom]) bottom++;
  return [
    `@@ ${mutant.file}:${top + 1} @@`,
    ...before.slice(top, before.length - bottom).map((line) => `-${line}`),
    ...after.slice(top, after.length - bottom).map((line) => `+${line}`.trimEnd()),
  ].join("\n");
}

/**
 * The first `count` of `mutants` in an order that depends on `seed` and their ids alone: a greater sample contains a
 * smaller one.
 * @param {Mutant[]} mutants
 */
export function sample(mutants, count, seed) {
  const rank = (mutant) => createHash("sha256").update(`${seed} ${mutant.id}`).digest("hex");
  return mutants
    .map((mutant) => [rank(mutant), mutant])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, count)
    .map(([, mutant]) => mutant);
}

/** Whether the file at `path` is mutated: all of ours, except for the interfaces, which have no code. */
export const isMutated = (path) => path.startsWith("src/") && !path.startsWith("src/interfaces/");

/**
 * All mutants of the files for which `isMutated`.
 * @param {Record<string, {ast: object}>} units The compiler's ASTs by path.
 * @param {Record<string, string>} sources The sources by path.
 * @param {(path: string) => boolean} isMutated
 * @returns {Mutant[]} By file and place.
 */
export function mutantsOf(units, sources, isMutated) {
  const nodes = new Map();
  for (const { ast } of Object.values(units)) index(ast, nodes);
  const effects = new EffectReader(nodes);
  return Object.keys(units)
    .filter(isMutated)
    .sort()
    .flatMap((file) => new Finder(file, sources[file], nodes, effects).find(units[file].ast));
}

function index(node, nodes) {
  if (node.nodeType && node.id !== undefined) nodes.set(node.id, node);
  for (const value of Object.values(node)) if (value && typeof value === "object") index(value, nodes);
}

/** The search for mutants of one file. */
class Finder {
  #file;
  #bytes;
  #nodes;
  #effects;
  #digest;
  /** Names of the contract and function that are being read. */
  #names = [];
  #found = new Map();

  constructor(file, text, nodes, effects) {
    this.#file = file;
    this.#bytes = Buffer.from(text);
    this.#nodes = nodes;
    this.#effects = effects;
    this.#digest = createHash("sha256").update(text).digest("hex");
  }

  find(ast) {
    this.#visit(ast, {});
    return [...this.#found.values()].sort((a, b) => a.start - b.start || a.end - b.end || (a.after < b.after ? -1 : 1));
  }

  #text([start, end]) {
    return this.#bytes.subarray(start, end).toString();
  }

  #code(node) {
    return this.#text(range(node));
  }

  #add(kind, [start, end], after) {
    const before = this.#text([start, end]);
    if (before === after) return;
    const id = createHash("sha256")
      .update([this.#file, this.#digest, start, end, after].join("\0"))
      .digest("hex")
      .slice(0, 12);
    if (this.#found.has(id)) return;
    const line = this.#text([0, start]).split("\n").length;
    this.#found.set(id, { id, file: this.#file, kind, line, where: this.#names.join("."), start, end, before, after });
  }

  /** The place of `token` between `start` and `end`, where there are only it, blanks, brackets and comments. */
  #token(start, end, token) {
    const gap = this.#text([start, end]).replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, (comment) => " ".repeat(Buffer.byteLength(comment)));
    const at = start + gap.indexOf(token);
    return [at, at + token.length];
  }

  /** The range of statement `node` with its semicolon, which the compiler leaves out. */
  #statement(node) {
    const [start, end] = range(node);
    const semicolon = /^\s*;/.exec(this.#text([end, this.#bytes.length]));
    const complete = node.nodeType.startsWith("Yul") || /[;}]$/.test(this.#text([start, end]));
    return [start, semicolon && !complete ? end + semicolon[0].length : end];
  }

  /** `context.block`: whether the node is one of a block's statements; `context.only`: whether it is a body without a block. */
  #visit(node, context) {
    if (Array.isArray(node)) {
      for (const n of node) this.#visit(n, context);
      return;
    }
    if (!node || typeof node !== "object" || UNTOUCHED.has(node.nodeType)) return;
    this[`_${node.nodeType}`]?.(node, context);
    const named = /^(Contract|Function|Modifier)Definition$/.test(node.nodeType);
    if (named) this.#names.push(node.name || node.kind);
    for (const [key, child] of Object.entries(node)) {
      if (child && typeof child === "object") this.#visit(child, childContext(node, key, context));
    }
    if (named) this.#names.pop();
  }

  /** Deletes statement `node`. */
  #delete(kind, node, context) {
    // Without its only statement an `if` does what it does when it is deleted.
    if (context.onlyOfIf) return;
    if (context.block) this.#add(kind, this.#statement(node), "");
    else if (context.only) this.#add(kind, this.#statement(node), "{}");
  }

  #negate(condition) {
    // The negation of these is found where the operator is.
    if (condition.nodeType === "BinaryOperation" && ["==", "!="].includes(condition.operator)) return;
    if (condition.nodeType === "UnaryOperation" && condition.operator === "!") return;
    this.#add("check", range(condition), `!(${this.#code(condition)})`);
  }

  /** Swaps neighbors of the same type in `args`. */
  #swapArguments(kind, args) {
    const groups = new Map();
    for (const arg of args) {
      const type = typeGroup(arg);
      groups.set(type, [...(groups.get(type) ?? []), arg]);
    }
    for (const group of groups.values()) {
      for (let i = 1; i < group.length; i++) this.#swap(kind, range(group[i - 1]), range(group[i]));
    }
  }

  #swap(kind, first, second) {
    const [a, between, b] = [this.#text(first), this.#text([first[1], second[0]]), this.#text(second)];
    if (a !== b) this.#add(kind, [first[0], second[1]], b + between + a);
  }

  /** Swaps neighboring statements whose order may matter. */
  #swapStatements(statements, effectsOf) {
    for (let i = 1; i < statements.length; i++) {
      const [first, second] = [statements[i - 1], statements[i]];
      if (ends(second) || uses(second, first) || this.#refuseAlike(first, second)) continue;
      if (!interfere(effectsOf(first), effectsOf(second))) continue;
      this.#swap("order", this.#statement(first), this.#statement(second));
    }
  }

  /** Whether both do nothing but revert, with the same error. */
  #refuseAlike(...statements) {
    const [a, b] = statements.map((s) => s.nodeType === "IfStatement" && !s.falseBody && onlyStatement(s.trueBody));
    return a?.nodeType === "RevertStatement" && b?.nodeType === "RevertStatement" && this.#code(a) === this.#code(b);
  }

  _Block({ statements }) {
    this.#swapStatements(statements, (s) => this.#effects.of(s));
  }

  _UncheckedBlock(node) {
    this._Block(node);
  }

  _BinaryOperation(node) {
    const { operator, leftExpression: left, rightExpression: right } = node;
    const at = this.#token(range(left)[1], range(right)[0], operator);
    const boundary = BOUNDARIES[operator];
    if (boundary) this.#add("boundary", at, boundary);
    const other = OPERATORS[operator];
    if (!other) return;
    const [start, end] = range(node);
    // The other operator may bind less tightly, or more.
    if (["&&", "||", "&", "|", "^", "**"].includes(operator)) {
      const chained = left.nodeType === "BinaryOperation";
      const before = this.#text([range(left)[1], at[0]]);
      const operand = chained ? `(${this.#code(left)})` : this.#code(left);
      this.#add("operator", [start, end], `(${operand}${before}${other}${this.#text([at[1], end])})`);
    } else this.#add("operator", at, other);
    if (["&&", "||"].includes(operator)) {
      this.#add("check", [start, end], this.#code(left));
      this.#add("check", [start, end], this.#code(right));
    }
  }

  _UnaryOperation(node) {
    const { operator, subExpression: operand } = node;
    if (operator === "!") this.#add("check", range(node), this.#code(operand));
    if (operator === "~" || operator === "-") this.#add("operator", range(node), this.#code(operand));
    if (operator === "++" || operator === "--") {
      const [[start, end], [first, last]] = [range(node), range(operand)];
      const at = node.prefix ? this.#token(start, first, operator) : this.#token(last, end, operator);
      this.#add("operator", at, operator === "++" ? "--" : "++");
    }
  }

  _Assignment(node) {
    const other = ASSIGNMENTS[node.operator];
    const gap = [range(node.leftHandSide)[1], range(node.rightHandSide)[0]];
    if (other) this.#add("operator", this.#token(...gap, node.operator), other);
  }

  _Literal(node) {
    const text = this.#code(node);
    if (node.kind === "bool") this.#add("constant", range(node), text === "true" ? "false" : "true");
    if (node.kind !== "number") return;
    // An address; any other has no checksum.
    if (/^0x[0-9a-fA-F]{40}$/.test(text)) return;
    this.#number(node, text, (sign) => `(${text} ${sign} 1)`);
  }

  _YulLiteral(node) {
    if (node.kind === "number") this.#number(node, this.#code(node));
  }

  /** The numbers before and after `text`; `otherwise(sign)` writes those of a number that is no plain integer. */
  #number(node, text, otherwise) {
    for (const [sign, step] of [["+", 1n], ["-", -1n]]) {
      const digits = /^(?:(0x)([0-9a-fA-F]+)|\d+)$/.exec(text);
      if (!digits) this.#add("constant", range(node), otherwise(sign));
      else if (BigInt(text) + step >= 0n) {
        const value = (BigInt(text) + step).toString(digits[1] ? 16 : 10);
        // As many digits, which are the size of fixed bytes.
        this.#add("constant", range(node), digits[1] ? `0x${value.padStart(digits[2].length, "0")}` : value);
      }
    }
  }

  _MemberAccess(node) {
    if (!["max", "min"].includes(node.memberName) || node.expression.expression?.name !== "type") return;
    this.#add("constant", range(node), `(${this.#code(node)} ${node.memberName === "max" ? "-" : "+"} 1)`);
  }

  _FunctionCall(node, context) {
    if (node.kind === "typeConversion") return;
    const name = node.expression.memberName ?? node.expression.name;
    if (!COMMUTATIVE.has(name)) this.#swapArguments(context.emit ? "event" : "argument", node.arguments);
  }

  _TupleExpression(node, context) {
    if (!context.assigned && node.components.every(Boolean)) this.#swapArguments("argument", node.components);
  }

  _Conditional({ condition }) {
    this.#negate(condition);
  }

  _WhileStatement({ condition }) {
    this.#negate(condition);
  }

  _ForStatement({ condition }) {
    if (condition) this.#negate(condition);
  }

  _IfStatement(node, context) {
    this.#negate(node.condition);
    const only = onlyStatement(node.trueBody)?.nodeType;
    this.#delete({ RevertStatement: "check", EmitStatement: "event" }[only] ?? "statement", node, context);
  }

  _ExpressionStatement(node, context) {
    const refuses = /^t_function_(require|assert|revert)/.test(node.expression.expression?.typeDescriptions?.typeIdentifier ?? "");
    this.#delete(refuses ? "check" : "statement", node, context);
  }

  _EmitStatement(node, context) {
    this.#delete("event", node, context);
  }

  _RevertStatement(node, context) {
    this.#delete("check", node, context);
  }

  _Return(node, context) {
    if (node.expression) this.#delete("statement", node, context);
  }

  _VariableDeclarationStatement({ declarations, initialValue }) {
    if (!initialValue || declarations.length !== 1) return;
    const [declaration] = declarations;
    // The others have no value to start with.
    if (declaration.storageLocation !== "default") return;
    this.#add("statement", [range(declaration)[1], range(initialValue)[1]], "");
  }

  _ModifierInvocation(node) {
    if (node.kind === "modifierInvocation") this.#add("check", range(node), "");
  }

  _YulBlock({ statements }) {
    this.#swapStatements(statements, (s) => this.#effects.ofYul(s));
  }

  _YulFunctionCall(node) {
    const name = node.functionName.name;
    const args = node.arguments;
    if (YUL_OPERATORS[name]) this.#add("operator", range(node.functionName), YUL_OPERATORS[name]);
    if (YUL_NEGATIONS[name]) {
      const [kind, negated] = YUL_NEGATIONS[name];
      const list = this.#text([range(node.functionName)[1], range(node)[1]]);
      this.#add(kind, range(node), `iszero(${negated}${list})`);
    }
    if (COMMUTATIVE.has(name)) return;
    for (let i = 1; i < args.length; i++) this.#swap("argument", range(args[i - 1]), range(args[i]));
  }

  _YulAssignment(node, context) {
    this.#delete("statement", node, context);
  }

  _YulExpressionStatement(node, context) {
    this.#delete("statement", node, context);
  }

  _YulIf(node, context) {
    this.#delete("statement", node, context);
    this.#add("check", range(node.condition), `iszero(${this.#code(node.condition)})`);
  }
}

/** First byte of `node`, and the byte after its last one. */
function range(node) {
  const [start, length] = node.src.split(":").map(Number);
  return [start, start + length];
}

function childContext(node, key, context) {
  switch (node.nodeType) {
    case "Block":
    case "UncheckedBlock":
      return { block: true, onlyOfIf: context.ifBody && node.statements.length === 1 };
    case "YulBlock":
      return { block: !context.header };
    case "YulForLoop":
      return { header: key !== "body" };
    case "IfStatement":
      if (key === "condition") return {};
      return { only: true, ifBody: key === "trueBody" && !node.falseBody, onlyOfIf: key === "trueBody" && !node.falseBody };
    case "ForStatement":
    case "WhileStatement":
      return { only: key === "body" };
    case "EmitStatement":
      return { emit: true };
    case "Assignment":
      return { assigned: key === "leftHandSide" };
    default:
      return {};
  }
}

/** The statement that `body` consists of, if it is one. */
function onlyStatement(body) {
  if (body.nodeType !== "Block") return body;
  return body.statements.length === 1 ? onlyStatement(body.statements[0]) : undefined;
}

/** Whether nothing that follows `statement` in its block is reached. */
function ends(statement) {
  const last = /Block$/.test(statement.nodeType) ? statement.statements.at(-1) : statement;
  if (last && last !== statement) return ends(last);
  return ["Return", "Break", "Continue", "RevertStatement"].includes(statement.nodeType);
}

/** Whether `node` names something that statement `declaring` declares. */
function uses(node, declaring) {
  const ids = new Set((declaring.declarations ?? []).filter(Boolean).map((d) => d.id));
  const names = new Set((declaring.variables ?? []).map((v) => v.name));
  if (ids.size === 0 && names.size === 0) return false;
  const search = (n) =>
    ids.has(n.referencedDeclaration) ||
    ids.has(n.declaration) ||
    (n.nodeType === "YulIdentifier" && names.has(n.name)) ||
    Object.values(n).some((v) => v && typeof v === "object" && search(v));
  return search(node);
}

/** What arguments have in common that may be swapped. */
function typeGroup(node) {
  const type = node.typeDescriptions.typeString.replace(/ (memory|calldata|payable|storage( ref| pointer)?)$/, "");
  return /^(uint\d+$|int_const )/.test(type) ? "uint" : type;
}
