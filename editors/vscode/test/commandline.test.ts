import assert from "node:assert/strict";
import { test } from "node:test";
import { optionsOf, targetsOf, titleOf, wordsFor } from "../src/commandline.js";
import { wordsOf } from "../src/outcome.js";
import { absentMessage, findProgram, projectFolder, serverMessage, type Surroundings } from "../src/program.js";

test("words of a command line", () => {
  assert.deepEqual(wordsFor(optionsOf("run"), ["all"]), ["--", "all"]);
  assert.deepEqual(wordsFor(optionsOf("dryRun"), ["-odd"]), ["-n", "--", "-odd"]);
  assert.deepEqual(wordsFor(optionsOf("explain"), ["a b.txt", "c"]), ["-n", "--explain", "--", "a b.txt", "c"]);
  assert.deepEqual(wordsFor(optionsOf("explain"), []), ["-n", "--explain"]);
});

test("targets of a task", () => {
  assert.deepEqual(targetsOf("all"), ["all"]);
  assert.deepEqual(targetsOf(["a", "b c"]), ["a", "b c"]);
  assert.deepEqual(targetsOf(""), []);
});

test("titles", () => {
  assert.equal(titleOf("run", "all"), "all");
  assert.equal(titleOf("explain", ""), "why: default goal");
});

test("the program", () => {
  const around = (files: string[]): Surroundings => ({
    folder: "/p",
    home: "/home/u",
    isWindows: false,
    exists: (file) => files.includes(file),
  });
  assert.equal(findProgram("", around([])), "pybuild");
  assert.equal(findProgram("", around(["/p/venv/bin/pybuild"])), "/p/venv/bin/pybuild");
  assert.equal(findProgram("", around(["/p/venv/bin/pybuild", "/p/.venv/bin/pybuild"])), "/p/.venv/bin/pybuild");
  assert.equal(findProgram("~/bin/pybuild", around([])), "/home/u/bin/pybuild");
  assert.equal(findProgram(" ${workspaceFolder}/x ", around([])), "/p/x");
  assert.equal(findProgram("", { ...around([".venv/bin/pybuild"]), folder: undefined }), "pybuild");
});

test("the folder of a project", () => {
  const exists = (file: string) => file === "/p/Pipefile";
  assert.equal(projectFolder("/p/rules/deep/a.pipe", exists), "/p");
  assert.equal(projectFolder("/p/Pipefile", exists), "/p");
  assert.equal(projectFolder("/q/rules/a.pipe", exists), "/q/rules");
  assert.equal(projectFolder("/p/vendor/Makefile", exists), "/p/vendor");
});

test("what is told when it does not start", () => {
  assert.match(absentMessage("/no/pybuild"), /`\/no\/pybuild`.*pip install 'pybuild\[editor\]'.*pybuild\.path/);
  assert.equal(serverMessage("pybuild", ""), "The language server of `pybuild` did not start.");
  const output = "warning: x\npybuild: needs pip install 'pybuild[editor]'\n";
  assert.match(serverMessage("pybuild", output), /did not start: pybuild: needs pip/);
});

test("the status bar", () => {
  assert.equal(wordsOf({ state: "done", title: "all", exit: 0 }).isError, false);
  assert.equal(wordsOf({ state: "done", title: "all", exit: 2 }).isError, true);
  assert.equal(wordsOf({ state: "done", title: "all", exit: undefined }).isError, false);
  assert.match(wordsOf({ state: "running", title: "all" }).text, /spin.*all/);
});
