// What was found so far: a file with one JSON object a line, to which every result is appended as soon as it is known.
import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** How a trial may end, with what the summary says of it. */
export const OUTCOMES = {
  uncompiled: "don't compile",
  equal: "compile to the same bytecode",
  caught: "are caught",
  survived: "survive",
};

export class Results {
  #path;
  #byId = new Map();
  #baselines = new Map();

  constructor(path) {
    this.#path = path;
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    for (const line of text.split("\n")) {
      const record = parse(line);
      if (record) this.#remember(record);
    }
    // The last run may have ended while it wrote a line.
    if (text !== "" && !text.endsWith("\n")) appendFileSync(path, "\n");
  }

  #remember(record) {
    if (record.baseline) this.#baselines.set(record.baseline, record);
    else this.#byId.set(record.id, { ...this.#byId.get(record.id), ...record });
  }

  /** Adds `record`, of a mutant by its `id` or of the unchanged contracts by `baseline`; it replaces what it names. */
  add(record) {
    this.#remember(record);
    appendFileSync(this.#path, JSON.stringify(record) + "\n");
  }

  /** The result of the mutant with `id`, if it was tried. */
  of(id) {
    return this.#byId.get(id);
  }

  /** The seconds that each stage takes on the unchanged contracts with digest `baseline`, if all its tests pass. */
  baseline(baseline) {
    return this.#baselines.get(baseline);
  }
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
