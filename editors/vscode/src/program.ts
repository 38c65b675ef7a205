// Which program `pybuild` is, and what to say if it is not there.

import * as path from "node:path";

export interface Surroundings {
  readonly folder: string | undefined;
  readonly home: string;
  readonly isWindows: boolean;
  readonly exists: (file: string) => boolean;
}

const ENVIRONMENTS = [".venv", "venv"];

/** The program by the setting, else of a virtual environment in the folder, else by the search path. */
export function findProgram(setting: string, around: Surroundings): string {
  const asked = setting.trim();
  if (asked) return expanded(asked, around);
  const inside = around.isWindows ? ["Scripts", "pybuild.exe"] : ["bin", "pybuild"];
  const found = ENVIRONMENTS.map((name) => path.join(around.folder ?? "", name, ...inside));
  return (around.folder && found.find(around.exists)) || "pybuild";
}

function expanded(text: string, around: Surroundings): string {
  const home = text === "~" || text.startsWith("~/") ? around.home + text.slice(1) : text;
  return home.replaceAll("${workspaceFolder}", around.folder ?? "");
}

/**
 * Where pybuild runs for a build file: a Pipefile's or `*.pipe` file's project is the nearest folder upwards
 * with a Pipefile; a makefile is read where it is.
 */
export function projectFolder(file: string, exists: (file: string) => boolean): string {
  const own = path.dirname(file);
  if (!/^Pipefile$|\.pipe$/.test(path.basename(file))) return own;
  for (let at = own; ; at = path.dirname(at)) {
    if (exists(path.join(at, "Pipefile"))) return at;
    if (at === path.dirname(at)) return own;
  }
}

/** What to tell when the program cannot be started. */
export function absentMessage(program: string): string {
  return (
    `pybuild cannot be started: there is no program \`${program}\`. ` +
    "Install it with `pip install 'pybuild[editor]'`, or say in the setting `pybuild.path` where it is."
  );
}

/** What to tell when the program is there and its language server is not. */
export function serverMessage(program: string, output: string): string {
  const lines = output.split("\n").map((each) => each.trim());
  const said = lines.find((line) => line.includes("pybuild[editor]")) ?? lines.find(Boolean);
  return `The language server of \`${program}\` did not start${said ? `: ${said}` : "."}`;
}
