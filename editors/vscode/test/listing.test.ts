import assert from "node:assert/strict";
import { test } from "node:test";
import { goalOf, lineOf, parseListing } from "../src/listing.js";

const TABLE = `rule           kind       jobs  targets: prerequisites                    description
-------------  -------  ------  ----------------------------------------  ------------------
all (default)  plain         -  all: report/index.html
months         split         1  parts/*.csv: <raw>                        one file for each
yearly         collate       ?  years/<year>.json: stats/<year>-*.json
a.txt          plain         1  a.txt: source.txt
%.o            %        on demand  %.o: %.c
clean          task          1  clean:
`;

test("rows of a table", () => {
  const rows = parseListing(TABLE);
  assert.deepEqual(rows.map((row) => row.name), ["all", "months", "yearly", "a.txt", "%.o", "clean"]);
  assert.deepEqual(rows.map((row) => row.isDefault), [true, false, false, false, false, false]);
  assert.equal(rows[1]?.kind, "split");
  assert.equal(rows[1]?.jobs, "1");
  assert.equal(rows[1]?.words, "parts/*.csv: <raw>");
  assert.equal(rows[1]?.description, "one file for each");
  assert.equal(rows[2]?.jobs, "?");
});

test("a table without descriptions, and lines before it", () => {
  const rows = parseListing("note\nrule  kind  jobs  targets: prerequisites\n----  ----  ----  ---\nx     task     1  x:\n");
  assert.deepEqual(rows.map((row) => [row.name, row.description]), [["x", ""]]);
});

test("no table", () => {
  assert.deepEqual(parseListing("`Pipefile` has no rules\n"), []);
  assert.deepEqual(parseListing(""), []);
});

test("what stands for a rule on the command line", () => {
  const rows = parseListing(TABLE);
  assert.deepEqual(rows.map(goalOf), ["all", "months", "yearly", "a.txt", undefined, "clean"]);
  const row = { name: "", isDefault: false, kind: "plain", jobs: "1", words: "", description: "" };
  assert.equal(goalOf({ ...row, name: "a b c ... (4 more)" }), undefined);
  assert.equal(goalOf({ ...row, name: "out/<x>.txt" }), undefined);
  assert.equal(goalOf({ ...row, name: "x", jobs: "inactive" }), undefined);
});

test("where a rule stands", () => {
  const text = [
    "x = 1",
    ".PHONY: clean",
    "# clean: no",
    "split months: parts/*.csv: raw",
    "    clean: this is shell",
    "a.txt b.txt: c",
    "combinations(2) pair: p: q",
    "both &: c",
    "clean:",
  ].join("\n");
  assert.equal(lineOf(text, "clean"), 8);
  assert.equal(lineOf(text, "months"), 3);
  assert.equal(lineOf(text, "a.txt"), 5);
  assert.equal(lineOf(text, "b.txt"), 5);
  assert.equal(lineOf(text, "pair"), 6);
  assert.equal(lineOf(text, "both"), 7);
  assert.equal(lineOf(text, "nothing"), undefined);
  assert.equal(lineOf(text, "axtxt"), undefined);
});
