// What a statement reads and writes, as far as the AST tells: two statements whose order can't matter aren't swapped.
//
// Effects are sets of keys: `v:7` a local variable, `s:7` a state variable, `.stake` a field of any struct, `structs`
// all fields, `memory`, `log`, `world` (other contracts and balances), `refusal` (which error a call ends with), `flow`
// (what runs next) and `*`, which clashes with everything. Where the AST doesn't tell, more is assumed.

/** Functions of the compiler that change nothing; by how solc's type identifiers start. */
const HARMLESS = /^t_function_(abi|keccak256|sha256|ripemd160|ecrecover|wrap|unwrap|objectcreation|bytesconcat|stringconcat|metatype|addmod|mulmod|gasleft|blockhash)/;

const YUL_MEMORY_READS = /^(mload|keccak256|log[0-4]|call|staticcall|delegatecall|callcode|create2?|return|revert|mcopy)$/;
const YUL_MEMORY_WRITES = /^(mstore8?|mcopy|(call|static)?call|calldatacopy|codecopy|extcodecopy|returndatacopy)$/;

class Effects {
  reads = new Set();
  writes = new Set();

  add(other) {
    for (const key of other.reads) this.reads.add(key);
    for (const key of other.writes) this.writes.add(key);
  }
}

/** Whether one of `writes` changes what one of `keys` stands for. */
function clash(writes, keys) {
  const same = (a, b) =>
    a === b || a === "*" || b === "*" || (a === "structs" && b.startsWith(".")) || (b === "structs" && a.startsWith("."));
  // Where a call ends decides whether anything that is written is written.
  const ends = (a, b) => (a === "flow" && !b.startsWith("v:")) || (b === "flow" && !a.startsWith("v:"));
  return [...writes].some((a) => [...keys].some((b) => same(a, b) || ends(a, b)));
}

/** Whether the order of two statements with these effects may matter. */
export function interfere(a, b) {
  return clash(a.writes, b.writes) || clash(a.writes, b.reads) || clash(b.writes, a.reads);
}

/** The reader of effects of an AST; `nodes` are all of its nodes by id. */
export class EffectReader {
  #nodes;
  #summaries = new Map();

  constructor(nodes) {
    this.#nodes = nodes;
  }

  /** The effects of `node`, a statement or an expression. */
  of(node) {
    const effects = new Effects();
    this.#read(node, effects);
    return effects;
  }

  /** What a call of function or modifier `definition` does to anything but its own variables. */
  #summary(definition) {
    const known = this.#summaries.get(definition.id);
    if (known) return known;
    const all = new Effects();
    all.writes.add("*");
    // A recursive call finds this.
    this.#summaries.set(definition.id, all);
    if (!definition.body) return all;
    const inner = this.of(definition.body);
    for (const invocation of definition.modifiers ?? []) {
      const modifier = this.#nodes.get(invocation.modifierName.referencedDeclaration);
      if (modifier?.nodeType === "ModifierDefinition") inner.add(this.#summary(modifier));
    }
    const outer = new Effects();
    for (const set of ["reads", "writes"]) {
      for (const key of inner[set]) {
        if (key === "flow") continue;
        const variable = key.startsWith("v:") && this.#nodes.get(Number(key.slice(2)));
        if (!variable) outer[set].add(key);
        // Through a mapping or an array in storage the caller's is reached; a struct there has keys for its fields.
        else if (variable.storageLocation === "storage" && !isStruct(variable)) outer[set].add("*");
      }
    }
    this.#summaries.set(definition.id, outer);
    return outer;
  }

  #read(node, effects, { write = false, base = false } = {}) {
    if (Array.isArray(node)) {
      for (const n of node) this.#read(n, effects, { write });
      return;
    }
    if (!node || typeof node !== "object") return;
    const target = write ? effects.writes : effects.reads;
    switch (node.nodeType) {
      case "Identifier": {
        const variable = this.#nodes.get(node.referencedDeclaration);
        if (variable?.nodeType !== "VariableDeclaration" || variable.mutability !== "mutable") return;
        target.add(`${variable.stateVariable ? "s" : "v"}:${variable.id}`);
        if (!base && isStruct(node)) target.add("structs");
        return;
      }
      case "MemberAccess":
        this.#read(node.expression, effects, { base: true });
        if (isStruct(node.expression)) target.add(`.${node.memberName}`);
        else if (node.memberName === "balance" || node.memberName === "code") effects.reads.add("world");
        if (!base && isStruct(node)) target.add("structs");
        return;
      case "IndexAccess":
        this.#read(node.baseExpression, effects, { write, base: true });
        this.#read(node.indexExpression, effects);
        if (!base && isStruct(node)) target.add("structs");
        return;
      case "Assignment":
        this.#read(node.leftHandSide, effects, { write: true });
        if (node.operator !== "=") this.#read(node.leftHandSide, effects);
        this.#read(node.rightHandSide, effects);
        return;
      case "TupleExpression":
        for (const component of node.components) this.#read(component, effects, { write });
        return;
      case "UnaryOperation":
        this.#read(node.subExpression, effects);
        if (["++", "--", "delete"].includes(node.operator)) this.#read(node.subExpression, effects, { write: true });
        return;
      case "VariableDeclarationStatement":
        for (const declaration of node.declarations) if (declaration) effects.writes.add(`v:${declaration.id}`);
        this.#read(node.initialValue, effects);
        return;
      case "FunctionCall":
        this.#call(node, effects);
        return;
      case "RevertStatement":
        effects.writes.add("refusal");
        this.#read(node.errorCall, effects);
        return;
      case "Return":
        effects.writes.add("flow");
        this.#read(node.expression, effects);
        return;
      case "Break":
      case "Continue":
        effects.writes.add("flow");
        return;
      case "PlaceholderStatement":
      case "TryStatement":
        effects.writes.add("*");
        return;
      case "InlineAssembly":
        this.#assembly(node, effects);
        return;
      default:
        if (node.nodeType?.startsWith("Yul")) return;
        for (const [key, value] of Object.entries(node)) {
          if (key !== "typeName" && key !== "typeDescriptions" && typeof value === "object") this.#read(value, effects);
        }
    }
  }

  #call(node, effects) {
    this.#read(node.arguments, effects);
    if (node.kind !== "functionCall") return;
    const called = node.expression;
    const { typeIdentifier, typeString } = called.typeDescriptions;
    // What the function is taken from, or bound to; also `{value: …}`.
    if (called.expression) this.#read(called.expression, effects, { base: true });
    this.#read(called.options, effects);
    if (HARMLESS.test(typeIdentifier) || called.name === "type") return;
    if (/^t_function_event/.test(typeIdentifier)) effects.writes.add("log");
    else if (/^t_function_(error|revert|require|assert)/.test(typeIdentifier)) effects.writes.add("refusal");
    else if (/^t_function_internal/.test(typeIdentifier)) {
      const definition = this.#nodes.get(called.referencedDeclaration);
      if (definition?.nodeType === "FunctionDefinition") effects.add(this.#summary(definition));
      else effects.writes.add("*");
    } else if (/^t_function_barestaticcall/.test(typeIdentifier)) effects.reads.add("world");
    else if (/ (view|pure)\b/.test(typeString) && /^t_function_external/.test(typeIdentifier)) {
      effects.reads.add("world");
      effects.writes.add("refusal");
    } else effects.writes.add("*");
  }

  #assembly(node, effects) {
    const outside = new Map(node.externalReferences.map((r) => [r.src, r.declaration]));
    this.#yul(node.AST, effects, (identifier) => {
      const variable = this.#nodes.get(outside.get(identifier.src));
      return variable && (variable.constant ? undefined : `${variable.stateVariable ? "s" : "v"}:${variable.id}`);
    });
  }

  /** The effects of `node`, a part of an assembly block. */
  ofYul(node) {
    const effects = new Effects();
    this.#yul(node, effects, (identifier) => `v:${identifier.name}`);
    return effects;
  }

  #yul(node, effects, keyOf) {
    if (Array.isArray(node)) {
      for (const n of node) this.#yul(n, effects, keyOf);
      return;
    }
    const add = (set, identifier) => {
      const key = keyOf(identifier);
      if (key) set.add(key);
    };
    switch (node?.nodeType) {
      case "YulIdentifier":
        add(effects.reads, node);
        return;
      case "YulAssignment":
        for (const name of node.variableNames) add(effects.writes, name);
        this.#yul(node.value, effects, keyOf);
        return;
      case "YulVariableDeclaration":
        for (const name of node.variables) add(effects.writes, name);
        this.#yul(node.value, effects, keyOf);
        return;
      case "YulFunctionCall": {
        const name = node.functionName.name;
        if (YUL_MEMORY_READS.test(name)) effects.reads.add("memory");
        if (YUL_MEMORY_WRITES.test(name)) effects.writes.add("memory");
        if (/^log/.test(name)) effects.writes.add("log");
        else if (/^(return|stop|revert|invalid)$/.test(name)) effects.writes.add("flow").add("refusal");
        else if (/^(sload|tload)$/.test(name)) effects.reads.add("*");
        else if (/^(sstore|tstore|call|callcode|delegatecall|create2?|selfdestruct)$/.test(name)) effects.writes.add("*");
        else if (/^(staticcall|balance|extcode)/.test(name)) effects.reads.add("world");
        // The size of what was returned last.
        if (name === "staticcall") effects.writes.add("returned");
        if (name.startsWith("returndata")) effects.reads.add("returned");
        this.#yul(node.arguments, effects, keyOf);
        return;
      }
      default:
        if (!node || typeof node !== "object") return;
        for (const value of Object.values(node)) if (typeof value === "object") this.#yul(value, effects, keyOf);
    }
  }
}

function isStruct(node) {
  return /^struct /.test(node.typeDescriptions?.typeString ?? "");
}
