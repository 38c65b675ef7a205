// The view of targets: a project a folder, if there are several, and its rules.

import * as path from "node:path";
import * as vscode from "vscode";
import { countOf, headerOf, labelOf, whyNot, type Row } from "./listing.js";
import { findProjects, rulesOf, type Project } from "./projects.js";

export class FolderNode {
  constructor(readonly project: Project) {}
}

export class RuleNode {
  constructor(
    readonly project: Project,
    readonly row: Row,
  ) {}

  get folder(): string {
    return this.project.folder;
  }

  get label(): string {
    return labelOf(this.row);
  }
}

export class MessageNode {
  constructor(
    readonly project: Project,
    readonly text: string,
  ) {}
}

type Node = FolderNode | RuleNode | MessageNode;

const ICONS: Record<string, string> = {
  task: "symbol-event",
  split: "split-horizontal",
  collate: "group-by-ref-type",
  value: "symbol-variable",
  "%": "symbol-misc",
};

export class Targets implements vscode.TreeDataProvider<Node> {
  private readonly last = new Map<string, readonly Row[]>();
  private readonly changed = new vscode.EventEmitter<Node | undefined>();
  readonly onDidChangeTreeData = this.changed.event;

  refresh(): void {
    this.changed.fire(undefined);
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (!vscode.workspace.isTrusted) return [];
    if (node instanceof FolderNode) return this.children(node.project);
    if (node) return [];
    const projects = await findProjects();
    const [only] = projects;
    return projects.length === 1 && only ? this.children(only) : projects.map((each) => new FolderNode(each));
  }

  /** The rules of a project; while it cannot be read, why, and those that there were. */
  private async children(project: Project): Promise<Node[]> {
    const found: Node[] = [];
    try {
      this.last.set(project.folder, await rulesOf(project));
    } catch (error) {
      found.push(new MessageNode(project, error instanceof Error ? error.message : String(error)));
    }
    const rows = this.last.get(project.folder) ?? [];
    return [...found, ...rows.map((row) => new RuleNode(project, row))];
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (node instanceof FolderNode) return folderItem(node.project);
    return node instanceof RuleNode ? ruleItem(node) : messageItem(node);
  }
}

function folderItem(project: Project): vscode.TreeItem {
  const root = project.workspace?.uri.fsPath;
  const name = (root && path.relative(root, project.folder)) || path.basename(project.folder);
  const item = new vscode.TreeItem(name, vscode.TreeItemCollapsibleState.Collapsed);
  item.contextValue = "folder";
  item.iconPath = vscode.ThemeIcon.Folder;
  item.resourceUri = vscode.Uri.file(project.folder);
  return item;
}

function ruleItem(node: RuleNode): vscode.TreeItem {
  const { row } = node;
  const item = new vscode.TreeItem(node.label);
  item.description = [row.default ? "default" : "", row.kind === "plain" ? "" : row.kind, countOf(row)]
    .filter(Boolean)
    .join(" · ");
  item.tooltip = [row.description, headerOf(row), whyNot(row)].filter(Boolean).join("\n");
  item.iconPath = new vscode.ThemeIcon(ICONS[row.kind] ?? "file-code");
  item.contextValue = row.goals.length ? "target" : "pattern";
  item.command = { command: "pybuild.open", title: "Go to Rule", arguments: [node] };
  return item;
}

function messageItem(node: MessageNode): vscode.TreeItem {
  const item = new vscode.TreeItem(node.text.split("\n")[0] ?? "");
  item.tooltip = node.text;
  item.iconPath = new vscode.ThemeIcon("error");
  item.contextValue = "message";
  item.command = {
    command: "vscode.open",
    title: "Open Pipefile",
    arguments: [vscode.Uri.file(path.join(node.project.folder, "Pipefile"))],
  };
  return item;
}
