// What the status bar says of builds.

export type Outcome =
  | { readonly state: "idle" }
  | { readonly state: "running"; readonly title: string }
  | { readonly state: "done"; readonly title: string; readonly exit: number | undefined };

export interface Words {
  readonly text: string;
  readonly tooltip: string;
  readonly isError: boolean;
}

/** Text, tooltip and colour for a state; exit status 2 and all others but 0 are failures. */
export function wordsOf(outcome: Outcome): Words {
  switch (outcome.state) {
    case "idle":
      return { text: "$(tools) pybuild", tooltip: "Run a target", isError: false };
    case "running":
      return { text: `$(sync~spin) ${outcome.title}`, tooltip: "pybuild is running", isError: false };
    case "done":
      if (outcome.exit === undefined) {
        return { text: `$(circle-slash) ${outcome.title}`, tooltip: "stopped", isError: false };
      }
      return outcome.exit === 0
        ? { text: `$(check) ${outcome.title}`, tooltip: "done", isError: false }
        : { text: `$(error) ${outcome.title}`, tooltip: `exit status ${outcome.exit}`, isError: true };
  }
}
