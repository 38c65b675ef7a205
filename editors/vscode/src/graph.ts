// The graph of a target as a picture in a tab of the editor.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import { wordsFor } from "./commandline.js";
import { output } from "./projects.js";

/** Draws the graph of targets, called by a label. Throws an Error with what pybuild says if it cannot. */
export async function showGraph(folder: string, targets: readonly string[], label: string): Promise<void> {
  const svg = await drawn(folder, targets);
  const panel = vscode.window.createWebviewPanel(
    "pybuild.graph",
    `Graph of ${label || "the default goal"}`,
    vscode.ViewColumn.Beside,
    { enableScripts: false },
  );
  panel.webview.html = page(svg);
}

async function drawn(folder: string, targets: readonly string[]): Promise<string> {
  const scratch = await mkdtemp(path.join(tmpdir(), "pybuild-graph-"));
  try {
    const file = path.join(scratch, "graph.svg");
    await output(folder, wordsFor([`--flowchart=${file}`], targets));
    return await readFile(file, "utf8");
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function page(svg: string): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'";
  return (
    `<!DOCTYPE html><html><head><meta charset="utf-8">` +
    `<meta http-equiv="Content-Security-Policy" content="${policy}"></head>` +
    `<body style="background:#ffffff;overflow:auto">${svg}</body></html>`
  );
}
