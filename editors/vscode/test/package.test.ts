// What package.json and the files beside it promise to the editor.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const manifest = json("package.json");
const { contributes } = manifest;
const configuration = json("language-configuration.json");

test("the problem matcher takes the lines that pybuild prints", () => {
  const { pattern } = contributes.problemMatchers[0];
  const match = (line: string) => new RegExp(pattern.regexp).exec(line);
  const found = match("rules/a b.pipe:12:5: error: no rule makes `x: y` [PB301]");
  assert.ok(found);
  assert.deepEqual(
    ["file", "line", "column", "severity", "message", "code"].map((key) => found[pattern[key]]),
    ["rules/a b.pipe", "12", "5", "error", "no rule makes `x: y`", "PB301"],
  );
  assert.equal(match("Pipefile:1:1: warning: hm")?.[pattern.message], "hm");
  assert.equal(match("  3 | x: y:1:1: error: z"), null);
  assert.equal(match("pybuild: 1 error"), null);
});

test("all commands of menus are there, and all files", () => {
  const commands = new Set(contributes.commands.map((each: { command: string }) => each.command));
  const menus = Object.values(contributes.menus).flat() as { command: string }[];
  for (const each of menus) assert.ok(commands.has(each.command), each.command);
  const files = [
    manifest.main,
    contributes.languages[0].configuration,
    contributes.grammars[0].path,
    contributes.snippets[0].path,
  ];
  for (const file of files) assert.ok(existsSync(file), file);
});

test("the commands of code lenses are registered by the extension", () => {
  const code = readFileSync("dist/extension.js", "utf8");
  assert.match(code, /"pybuild\.graph"/);
  for (const { command } of contributes.commands) {
    const [, name] = command.split(".");
    assert.ok(code.includes(`"${command}"`) || code.includes(`"${name}"`), command);
  }
});

test("snippets are Pipefiles with places to fill in", () => {
  for (const [name, each] of Object.entries<{ prefix: string; body: string[] }>(json("snippets/pipefile.json"))) {
    assert.match(each.prefix, /^\w+$/, name);
    assert.ok(each.body.join("\n").includes("${0:"), `${name} has no last place`);
  }
});

function indentsAfter(line: string): boolean {
  return configuration.onEnterRules.some((rule: { beforeText: string }) => new RegExp(rule.beforeText).test(line));
}

test("Enter goes into a recipe or block, and nowhere else", () => {
  const into = ["a: b", "app: <objects>", "split x: a/*: b", "clean:", "python:", "    python:", "        if x:  # why"];
  const beside = [".PHONY: all", "x = {1: 2}", "@desc(\"a: b\")", "# a: b", "    echo x", "        x = 1", "include a"];
  for (const line of into) assert.ok(indentsAfter(line), line);
  for (const line of beside) assert.ok(!indentsAfter(line), line);
});
