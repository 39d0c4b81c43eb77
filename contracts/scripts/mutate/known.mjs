// The survivors that are known, and why no test can fail: contracts/mutants.md lists them in a table.
import { existsSync, readFileSync } from "node:fs";

/** The ids that the file at `path` lists: the first words of its table rows. None if there is no such file. */
export function knownSurvivors(path) {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return new Set([...text.matchAll(/^\| `?([0-9a-f]+)\b/gm)].map(([, id]) => id));
}
