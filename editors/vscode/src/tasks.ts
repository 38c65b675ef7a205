// Targets as tasks.

import * as path from "node:path";
import * as vscode from "vscode";
import { optionsOf, targetsOf, titleOf, wordsFor, type Action } from "./commandline.js";
import { headerOf, labelOf, type Row } from "./listing.js";
import { findProjects, programFor, projectOf, rulesOf, type Project } from "./projects.js";

export const TYPE = "pybuild";
const MATCHER = "$pybuild";

interface Definition extends vscode.TaskDefinition {
  target: string | string[];
  folder?: string;
  options?: string[];
}

export class TargetTasks implements vscode.TaskProvider {
  async provideTasks(): Promise<vscode.Task[]> {
    if (!vscode.workspace.isTrusted) return [];
    const projects = await findProjects();
    return (await Promise.all(projects.map(tasksOf))).flat();
  }

  resolveTask(task: vscode.Task): vscode.Task | undefined {
    const definition = task.definition as Definition;
    const workspace = isFolder(task.scope) ? task.scope : vscode.workspace.workspaceFolders?.[0];
    if (!workspace) return undefined;
    const folder = path.join(workspace.uri.fsPath, definition.folder ?? "");
    return taskOf(projectOf(folder), definition, task.name);
  }
}

/** What does an action with targets, called by a label, to be given to `vscode.tasks.executeTask`. */
export function actionTask(folder: string, action: Action, targets: readonly string[], label: string): vscode.Task {
  const definition: Definition = { type: TYPE, target: asTold(targets), options: [...optionsOf(action)] };
  return taskOf(projectOf(folder), definition, titleOf(action, label));
}

function asTold([first = "", ...others]: readonly string[]): string | string[] {
  return others.length ? [first, ...others] : first;
}

async function tasksOf(project: Project): Promise<vscode.Task[]> {
  let rows: Row[];
  try {
    rows = await rulesOf(project);
  } catch {
    return []; // the view of targets and the language server say what is wrong
  }
  return rows.flatMap((row) => {
    if (!row.goals.length) return [];
    const task = taskOf(project, { type: TYPE, target: asTold(row.goals) }, labelOf(row));
    task.detail = row.description || headerOf(row);
    task.group = groupOf(row);
    return [task];
  });
}

function groupOf(row: Row): vscode.TaskGroup | undefined {
  if (row.default) return vscode.TaskGroup.Build;
  const label = labelOf(row);
  if (label === "clean") return vscode.TaskGroup.Clean;
  return ["test", "tests", "check"].includes(label) ? vscode.TaskGroup.Test : undefined;
}

function taskOf(project: Project, definition: Definition, name: string): vscode.Task {
  const root = project.workspace?.uri.fsPath;
  const below = root ? path.relative(root, project.folder) : "";
  const isTold = !below || definition.folder !== undefined;
  return new vscode.Task(
    isTold ? definition : { ...definition, folder: below },
    project.workspace ?? vscode.TaskScope.Workspace,
    name,
    TYPE,
    new vscode.ProcessExecution(
      programFor(project.folder),
      wordsFor(definition.options ?? [], targetsOf(definition.target)),
      { cwd: project.folder },
    ),
    below ? [] : MATCHER, // which takes names as relative to the workspace's folder
  );
}

function isFolder(scope: vscode.Task["scope"]): scope is vscode.WorkspaceFolder {
  return typeof scope === "object";
}
