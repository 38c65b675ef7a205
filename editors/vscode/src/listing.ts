// What `pybuild --list` prints, as rows. The columns begin where its line of dashes says.

export interface Row {
  readonly name: string;
  readonly isDefault: boolean;
  readonly kind: string;
  readonly jobs: string;
  readonly words: string;
  readonly description: string;
}

const DEFAULT_MARK = " (default)";

/** The rows of the table in a text; none if there is no table. Other lines are passed over. */
export function parseListing(text: string): Row[] {
  const lines = text.split(/\r?\n/);
  const ruler = lines.findIndex((line) => /^-+( +-+){3,4}$/.test(line));
  if (ruler < 1) return [];
  const starts = [...lines[ruler]!.matchAll(/-+/g)].map((found) => found.index);
  return lines
    .slice(ruler + 1)
    .filter((line) => line.trim())
    .map((line) => rowOf(cells(line, starts)));
}

function cells(line: string, starts: readonly number[]): string[] {
  return starts.map((start, index) => line.slice(start, starts[index + 1]).trim());
}

function rowOf([name = "", kind = "", jobs = "", words = "", description = ""]: string[]): Row {
  const isDefault = name.endsWith(DEFAULT_MARK);
  return {
    name: isDefault ? name.slice(0, -DEFAULT_MARK.length) : name,
    isDefault,
    kind,
    jobs,
    words,
    description,
  };
}

/** What to ask pybuild for to have this rule; undefined if no single word stands for it. */
export function goalOf(row: Row): string | undefined {
  const goal = row.name;
  const isPattern = row.kind === "%" || /[<>%*?\s]/.test(goal);
  return !goal || isPattern || row.jobs === "inactive" ? undefined : goal;
}

/** The line of a Pipefile (from 0) where the header of a rule stands, by its name or first target. */
export function lineOf(text: string, name: string): number | undefined {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const kind = "(?:(?:split|collate|value|product|\\w+\\([^()\\n]*\\))[ \\t]+)?";
  const found = new RegExp(`^${kind}(?!\\.PHONY)(?:[^\\s:#@][^\\n:]*[ \\t])?${escaped}(?=[ \\t&]*:|[ \\t][^\\n]*:)`, "m").exec(text);
  return found ? text.slice(0, found.index).split("\n").length - 1 : undefined;
}
