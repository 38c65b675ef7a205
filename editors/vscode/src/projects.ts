// The Pipefiles of the workspace, and pybuild run beside them.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import { parseListing, type Row } from "./listing.js";
import { absentMessage, findProgram } from "./program.js";

const LONGEST_MS = 60_000;
const MOST_BYTES = 64 * 1024 * 1024;
const NOT_LOOKED_INTO = "**/{node_modules,.venv,venv,.git,.pybuild,site-packages}/**";
const MOST_PROJECTS = 100;

/** A folder with a Pipefile. */
export interface Project {
  readonly folder: string;
  readonly workspace: vscode.WorkspaceFolder | undefined;
}

/** The program that the settings of a folder mean. */
export function programFor(folder: string | undefined): string {
  const uri = folder === undefined ? undefined : vscode.Uri.file(folder);
  const workspace = uri && vscode.workspace.getWorkspaceFolder(uri)?.uri.fsPath;
  const setting = vscode.workspace.getConfiguration("pybuild", uri).get("path", "");
  return findProgram(setting, {
    folder: workspace ?? folder,
    home: homedir(),
    isWindows: process.platform === "win32",
    exists: existsSync,
  });
}

/** All projects of the workspace, in the order of their folders. */
export async function findProjects(): Promise<Project[]> {
  const found = await vscode.workspace.findFiles("**/Pipefile", NOT_LOOKED_INTO, MOST_PROJECTS);
  return found
    .filter((uri) => uri.scheme === "file")
    .map((uri) => projectOf(path.dirname(uri.fsPath)))
    .sort((one, other) => one.folder.localeCompare(other.folder));
}

export function projectOf(folder: string): Project {
  return { folder, workspace: vscode.workspace.getWorkspaceFolder(vscode.Uri.file(folder)) };
}

/** What pybuild prints in a folder. Throws an Error with what it says if it fails. */
export function output(folder: string, words: readonly string[]): Promise<string> {
  const program = programFor(folder);
  return new Promise((resolve, reject) => {
    execFile(
      program,
      [...words],
      { cwd: folder, timeout: LONGEST_MS, maxBuffer: MOST_BYTES },
      (error, stdout, stderr) => {
        if (!error) resolve(stdout);
        else if (error.code === "ENOENT") reject(new Error(absentMessage(program)));
        else reject(new Error(stderr.trim() || stdout.trim() || error.message));
      },
    );
  });
}

/** The rules of a project. Throws an Error if its Pipefile cannot be read. */
export async function rulesOf(project: Project): Promise<Row[]> {
  return parseListing(await output(project.folder, ["--list", "--format=json"]));
}
