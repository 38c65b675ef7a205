// The extension: views, tasks, commands and the language server are put together here.

import { existsSync } from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { Server } from "./client.js";
import { targetsOf, type Action } from "./commandline.js";
import { showGraph } from "./graph.js";
import { labelOf } from "./listing.js";
import { wordsOf, type Outcome } from "./outcome.js";
import { projectFolder } from "./program.js";
import { findProjects, rulesOf } from "./projects.js";
import { actionTask, TargetTasks, TYPE } from "./tasks.js";
import { RuleNode, Targets } from "./tree.js";

/** What a command is about: targets (none: the default goal) of the project in a folder, and what they are called. */
interface Wish {
  readonly targets: readonly string[];
  readonly label: string;
  readonly folder: string;
}

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const targets = new Targets();
  const server = new Server();
  context.subscriptions.push(
    server,
    vscode.window.createTreeView("pybuild.targets", { treeDataProvider: targets, showCollapseAll: true }),
    vscode.tasks.registerTaskProvider(TYPE, new TargetTasks()),
    ...commands(targets, server),
    ...statusBar(),
    ...refreshing(targets),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("pybuild")) void server.restart();
      if (event.affectsConfiguration("pybuild.path")) targets.refresh();
    }),
  );
  const hasProjects = (await findProjects()).length > 0;
  await vscode.commands.executeCommand("setContext", "pybuild.hasProjects", hasProjects);
  await server.start();
}

function commands(targets: Targets, server: Server): vscode.Disposable[] {
  const register = vscode.commands.registerCommand;
  return [
    ...(["run", "dryRun", "explain"] as const).map((action: Action) =>
      register(`pybuild.${action}`, async (first?: unknown, second?: unknown) => {
        const wish = await wishOf(first, second);
        if (wish) await vscode.tasks.executeTask(actionTask(wish.folder, action, wish.targets, wish.label));
      }),
    ),
    register("pybuild.graph", async (first?: unknown, second?: unknown) => {
      const wish = await wishOf(first, second);
      if (wish) await showGraph(wish.folder, wish.targets, wish.label).catch(complain);
    }),
    register("pybuild.open", openRule),
    register("pybuild.refresh", () => targets.refresh()),
    register("pybuild.restart", () => server.restart()),
  ];
}

/** What is asked for: a node of the view; the URI of a build file and a target (a lens); else the user is asked. */
async function wishOf(first: unknown, second: unknown): Promise<Wish | undefined> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage("pybuild runs code of the Pipefile: trust the workspace first.");
    return undefined;
  }
  if (first instanceof RuleNode) {
    const { row, label, folder } = first;
    return row.goals.length ? { targets: row.goals, label, folder } : undefined;
  }
  if (typeof first === "string") {
    const folder = projectFolder(vscode.Uri.parse(first).fsPath, existsSync);
    const target = typeof second === "string" ? second : "";
    return { targets: targetsOf(target), label: target, folder };
  }
  return pick();
}

async function pick(): Promise<Wish | undefined> {
  try {
    return await vscode.window.showQuickPick(choices(), { placeHolder: "Target, rule or task" });
  } catch (error) {
    complain(error);
    return undefined;
  }
}

async function choices(): Promise<(vscode.QuickPickItem & Wish)[]> {
  const projects = await findProjects();
  const found = projects.map(async (project) => {
    const detail = projects.length > 1 ? vscode.workspace.asRelativePath(project.folder) : undefined;
    return (await rulesOf(project)).flatMap((row) => {
      if (!row.goals.length) return [];
      const { goals: targets, description } = row;
      return [{ targets, label: labelOf(row), description, detail, folder: project.folder }];
    });
  });
  return (await Promise.all(found)).flat();
}

async function openRule(node: RuleNode): Promise<void> {
  const { file, line, column } = node.row;
  const place = new vscode.Position(line - 1, column - 1);
  const uri = vscode.Uri.file(path.resolve(node.folder, file));
  await vscode.window.showTextDocument(uri, { selection: new vscode.Range(place, place) });
}

function refreshing(targets: Targets): vscode.Disposable[] {
  const files = vscode.workspace.createFileSystemWatcher("**/{Pipefile,*.pipe}");
  const refresh = () => targets.refresh();
  return [
    files,
    files.onDidChange(refresh),
    files.onDidCreate(async () => {
      await vscode.commands.executeCommand("setContext", "pybuild.hasProjects", true);
      refresh();
    }),
    files.onDidDelete(refresh),
    vscode.workspace.onDidGrantWorkspaceTrust(refresh),
    vscode.tasks.onDidEndTask((event) => {
      if (event.execution.task.definition.type === TYPE) refresh();
    }),
  ];
}

function statusBar(): vscode.Disposable[] {
  const item = vscode.window.createStatusBarItem("pybuild", vscode.StatusBarAlignment.Left);
  item.name = "pybuild";
  item.command = "pybuild.run";
  const show = (outcome: Outcome) => {
    const words = wordsOf(outcome);
    item.text = words.text;
    item.tooltip = words.tooltip;
    item.backgroundColor = words.isError ? new vscode.ThemeColor("statusBarItem.errorBackground") : undefined;
  };
  show({ state: "idle" });
  item.show();
  return [
    item,
    vscode.tasks.onDidStartTaskProcess(({ execution: { task } }) => {
      if (task.definition.type === TYPE) show({ state: "running", title: task.name });
    }),
    vscode.tasks.onDidEndTaskProcess(({ execution: { task }, exitCode }) => {
      if (task.definition.type === TYPE) show({ state: "done", title: task.name, exit: exitCode });
    }),
  ];
}

function complain(error: unknown): void {
  void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
}
