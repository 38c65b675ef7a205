// What `pybuild --list --format=json` prints, as rows (docs/reference.md has its fields), and how they
// are told to people.

export interface Row {
  readonly name: string;
  readonly default: boolean;
  readonly kind: string;
  readonly active: boolean;
  readonly recipe: boolean;
  readonly jobs: number | null;
  readonly open: boolean;
  readonly goals: readonly string[];
  readonly targets: readonly string[];
  readonly prerequisites: readonly string[];
  readonly order_only: readonly string[];
  readonly description: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const MOST_WORDS = 3;

/** The rows in a text. Throws an Error if it is something else: another version of pybuild may have printed it. */
export function parseListing(text: string): Row[] {
  const unexpected = "`pybuild --list --format=json` has not printed a list of rules: is pybuild older than its extension?";
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw new Error(unexpected);
  }
  if (!Array.isArray(found) || !found.every((each) => Array.isArray(each?.goals))) throw new Error(unexpected);
  return found as Row[];
}

/** What a rule is called: by its name, else by its targets. */
export function labelOf(row: Row): string {
  return row.name || shortened(row.targets);
}

/** The header of a rule, long lists cut. */
export function headerOf(row: Row): string {
  const later = row.order_only.length ? ` | ${shortened(row.order_only)}` : "";
  return `${shortened(row.targets)}: ${shortened(row.prerequisites)}`.trimEnd() + later;
}

/** How many jobs it has, in words; "" where that says nothing. */
export function countOf(row: Row): string {
  if (!row.active) return "inactive";
  if (!row.recipe || row.jobs === null) return "";
  if (row.open) return row.jobs ? `${row.jobs} jobs or more` : "";
  return row.jobs === 1 ? "1 job" : `${row.jobs} jobs`;
}

/** Why a rule cannot be asked for as a whole; undefined if it can. */
export function whyNot(row: Row): string | undefined {
  if (row.goals.length) return undefined;
  if (!row.active) return "It is switched off by @active_if.";
  if (row.kind === "%") return "It has jobs when something needs a file that it makes: run that one.";
  if (row.open) return "It may have more jobs once a split has run: with a name it could be asked for.";
  if (!row.jobs) return "It has no jobs: nothing matches.";
  return "It has too many targets to name each: with a name it could be asked for.";
}

function shortened(words: readonly string[]): string {
  const more = words.length - MOST_WORDS;
  return more <= 1 ? words.join(" ") : `${words.slice(0, MOST_WORDS).join(" ")} … (${more} more)`;
}
