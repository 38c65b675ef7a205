// Tries the packed extension in a real editor: code-server in Chromium. Prints what was seen, and ends
// with status 1 if something is missing.
//
// usage: run-in-browser.mjs CODE_SERVER EXTENSION.vsix PICTURES
//
// PICTURES is a folder, where it leaves what the editor looked like with a mistake, at the view of targets, and
// after a run.
// CODE_SERVER is the folder of install-code-server.sh. The programs are `pybuild` and `chromium`
// of the search path, or those that PYBUILD and CHROMIUM name.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

const [codeServer, extension, pictures] = process.argv.slice(2).map((each) => path.resolve(each));
assert.ok(pictures, "usage: run-in-browser.mjs CODE_SERVER EXTENSION.vsix PICTURES");
const puppeteer = createRequire(path.join(codeServer, "package.json"))("puppeteer-core");
const found = (name) => execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
const pybuild = process.env.PYBUILD || found("pybuild");
const chromium = process.env.CHROMIUM || found("chromium");
const LONGEST_MS = 60_000;

const PIPEFILE = `# A few files.

shout = "tr a-z A-Z"

@desc("all of them")
all: <loud>

loud: out/<name>.txt: in/<name>.txt
    <shout> < <input> > <output>

python:
    def first(file):
        return file.read_text().split()[0]

summary.txt: <loud>
    python:
        output.write_text("\\n".join(first(file) for file in inputs))

copies/<name>.txt: in/<name>.txt
    cp <input> <output>

broken: summary.txt
    cat <inptu>
`;

function writeProject(folder) {
  mkdirSync(path.join(folder, "in"), { recursive: true });
  writeFileSync(path.join(folder, "Pipefile"), PIPEFILE);
  for (const name of ["one", "two"]) writeFileSync(path.join(folder, "in", `${name}.txt`), `${name}\n`);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function entry(...words) {
  return [path.join(codeServer, "node_modules/code-server/out/node/entry.js"), ...words];
}

async function startServer(scratch, project) {
  const places = ["--user-data-dir", path.join(scratch, "user"), "--extensions-dir", path.join(scratch, "extensions")];
  execFileSync(process.execPath, entry(...places, "--install-extension", extension), { stdio: "ignore" });
  mkdirSync(path.join(scratch, "user", "User"), { recursive: true });
  writeFileSync(
    path.join(scratch, "user", "User", "settings.json"),
    JSON.stringify({
      "pybuild.path": pybuild,
      "workbench.startupEditor": "none",
      "workbench.colorTheme": "Default Light Modern",
      "editor.minimap.enabled": false,
      "editor.codeLens": true,
      "chat.commandCenter.enabled": false,
    }),
  );
  const port = await freePort();
  const server = spawn(
    process.execPath,
    entry(
      ...places,
      "--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check",
      "--disable-workspace-trust", "--disable-getting-started-override", project,
    ),
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await new Promise((resolve, reject) => {
    server.stdout.on("data", (text) => /HTTP server listening/.test(text) && resolve());
    server.once("exit", (status) => reject(new Error(`code-server ended with ${status}`)));
  });
  return { server, url: `http://127.0.0.1:${port}/?folder=${encodeURIComponent(project)}` };
}

async function waitFor(page, what, look, ...words) {
  const until = Date.now() + LONGEST_MS;
  while (Date.now() < until) {
    const seen = await page.evaluate(look, ...words);
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not seen: ${what}`);
}

// Types into the open list and takes what it offers first, once that is what was meant.
async function choose(page, typed, wanted) {
  await page.waitForSelector(".quick-input-widget input", { visible: true });
  await page.keyboard.type(typed);
  const isFirst = (text) => document.querySelector(".quick-input-list .monaco-list-row")?.textContent.startsWith(text);
  await waitFor(page, wanted, isFirst, wanted);
  await page.keyboard.press("Enter");
}

async function command(page, title) {
  await page.keyboard.press("F1");
  await choose(page, title, title);
}

async function openFile(page, name) {
  await page.keyboard.down("Control");
  await page.keyboard.press("p");
  await page.keyboard.up("Control");
  await choose(page, name, name);
  await page.waitForSelector(".monaco-editor .view-line");
}

// Lenses go by the mouse: a click of the page's own is not seen.
async function clickLens(page, title) {
  const lens = await page.$(`::-p-xpath(//*[contains(@class, 'codelens-decoration')]//a[text()='${title}'])`);
  await lens.click();
}

// The buttons of a row of the view are there while the mouse is on it.
async function clickRow(page, label, title) {
  const row = await page.waitForSelector(`.monaco-list-row[aria-label^='${label}']`);
  await row.hover();
  await page.screenshot({ path: path.join(pictures, "targets.png") });
  const button = await row.waitForSelector(`a.action-label[aria-label^='${title}']`, { visible: true });
  await button.click();
}

// The words of a drawing in whichever of the page's frames there is one.
async function drawing(page) {
  const until = Date.now() + LONGEST_MS;
  while (Date.now() < until) {
    for (const frame of page.frames().slice(1)) {
      const look = () => [...document.querySelectorAll("svg text")].map((each) => each.textContent);
      const words = await frame.evaluate(look).catch(() => []);
      if (words.length) return words;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("not seen: the graph");
}

function status(page, words) {
  const find = (source) =>
    [...document.querySelectorAll(".statusbar-item")].map((each) => each.getAttribute("aria-label")).find((text) => new RegExp(source).test(text));
  return waitFor(page, `status ${words}`, find, words.source);
}

async function look(page, project) {
  const seen = {};
  await page.waitForSelector(".monaco-workbench", { timeout: LONGEST_MS });
  await openFile(page, "Pipefile");
  seen.language = await waitFor(page, "the language", () =>
    [...document.querySelectorAll(".statusbar-item")].map((each) => each.textContent).find((text) => text === "Pipefile"),
  );
  seen.colours = await waitFor(page, "colours", () => {
    const classes = new Set();
    for (const each of document.querySelectorAll(".view-line span[class^=mtk]")) classes.add(each.className);
    return classes.size >= 6 && classes.size;
  });
  seen.squiggles = await waitFor(page, "squiggles", () => document.querySelectorAll(".squiggly-error").length);
  seen.lenses = await waitFor(page, "lenses", () => {
    const links = [...document.querySelectorAll(".codelens-decoration a")].map((each) => each.textContent);
    return links.length && [...new Set(links)];
  });
  await page.screenshot({ path: path.join(pictures, "mistake.png") });
  writeFileSync(path.join(project, "Pipefile"), PIPEFILE.replace("<inptu>", "<input>"));
  await waitFor(page, "no squiggles", () => !document.querySelector(".squiggly-error"));
  await command(page, "Explorer: Focus on pybuild View");
  seen.targets = await waitFor(page, "targets", () => {
    const pane = [...document.querySelectorAll(".pane")].find((each) => /pybuild/i.test(each.querySelector(".pane-header")?.textContent ?? ""));
    const rows = [...(pane?.querySelectorAll(".monaco-list-row") ?? [])].map((each) => each.textContent.trim());
    return rows.length > 1 && rows;
  });
  await clickRow(page, "copies/<name>.txt", "Run Target");
  seen.unnamed = await status(page, /copies.*done/);
  seen.copies = readdirSync(path.join(project, "copies"));
  await command(page, "pybuild: Run Target");
  await choose(page, "summary", "summary.txt");
  seen.palette = await status(page, /summary.*done/);
  seen.summary = readFileSync(path.join(project, "summary.txt"), "utf8");
  await clickLens(page, "why");
  seen.lens = await status(page, /why: all.*done/);
  await clickLens(page, "graph");
  seen.graph = await drawing(page);
  return seen;
}

const scratch = mkdtempSync(path.join(tmpdir(), "pybuild-editor-"));
const project = path.join(scratch, "project");
writeProject(project);
mkdirSync(pictures, { recursive: true });
let server, browser;
try {
  const started = await startServer(scratch, project);
  server = started.server;
  browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox"], headless: true });
  const page = await browser.newPage();
  await page.setViewport({ width: 1400, height: 900 });
  await page.goto(started.url);
  try {
    console.log(JSON.stringify(await look(page, project), null, 2));
  } finally {
    await page.screenshot({ path: path.join(pictures, "last.png") });
  }
} finally {
  await browser?.close();
  server?.kill();
  rmSync(scratch, { recursive: true, force: true });
}
