// What is asked of pybuild about a target, as words of its command line.

export type Action = "run" | "dryRun" | "explain";

const OPTIONS: Record<Action, readonly string[]> = {
  run: [],
  dryRun: ["-n"],
  explain: ["-n", "--explain"],
};
const VERBS: Record<Action, string> = { run: "run", dryRun: "dry run", explain: "why" };

/** The words behind `pybuild`; an empty target is the default goal. A target never counts as an option. */
export function wordsFor(options: readonly string[], target: string): string[] {
  return target ? [...options, "--", target] : [...options];
}

export function optionsOf(action: Action): readonly string[] {
  return OPTIONS[action];
}

/** What the task is called in the terminal's list. */
export function titleOf(action: Action, target: string): string {
  const goal = target || "default goal";
  return action === "run" ? goal : `${VERBS[action]}: ${goal}`;
}
