// What is asked of pybuild about targets, as words of its command line.

export type Action = "run" | "dryRun" | "explain";

const OPTIONS: Record<Action, readonly string[]> = {
  run: [],
  dryRun: ["-n"],
  explain: ["-n", "--explain"],
};
const VERBS: Record<Action, string> = { run: "run", dryRun: "dry run", explain: "why" };

/** The words behind `pybuild`; no targets are the default goal. A target never counts as an option. */
export function wordsFor(options: readonly string[], targets: readonly string[]): string[] {
  return targets.length ? [...options, "--", ...targets] : [...options];
}

export function optionsOf(action: Action): readonly string[] {
  return OPTIONS[action];
}

/** What the task is called in the terminal's list; the label is that of its targets ("" for the default goal). */
export function titleOf(action: Action, label: string): string {
  const goal = label || "default goal";
  return action === "run" ? goal : `${VERBS[action]}: ${goal}`;
}

/** The targets of a task, as its definition in `tasks.json` has them: one, several, or "" for the default goal. */
export function targetsOf(target: string | readonly string[]): string[] {
  return [target].flat().filter(Boolean);
}
