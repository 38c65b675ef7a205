import assert from "node:assert/strict";
import { test } from "node:test";
import { countOf, headerOf, labelOf, parseListing, whyNot, type Row } from "../src/listing.js";

const ROW: Row = {
  name: "",
  default: false,
  kind: "plain",
  active: true,
  recipe: true,
  jobs: 1,
  open: false,
  goals: [],
  targets: ["out/<n>.txt"],
  prerequisites: ["in/<n>.txt"],
  order_only: [],
  description: "",
  file: "Pipefile",
  line: 1,
  column: 1,
};

test("rows of a listing", () => {
  assert.deepEqual(parseListing(JSON.stringify([ROW])), [ROW]);
  assert.deepEqual(parseListing("[]"), []);
});

test("what is no listing", () => {
  for (const text of ["", "rule  kind\n----  ----\n", "{}", "[1]", "[null]"]) {
    assert.throws(() => parseListing(text), /--list --format=json.*older/, text);
  }
});

test("what a rule is called, and its header", () => {
  assert.equal(labelOf({ ...ROW, name: "copies" }), "copies");
  assert.equal(labelOf(ROW), "out/<n>.txt");
  const many = { ...ROW, targets: ["a", "b", "c", "d", "e"], prerequisites: [], order_only: ["log"] };
  assert.equal(labelOf(many), "a b c … (2 more)");
  assert.equal(headerOf(ROW), "out/<n>.txt: in/<n>.txt");
  assert.equal(headerOf(many), "a b c … (2 more): | log");
  assert.equal(headerOf({ ...many, order_only: [] }), "a b c … (2 more):");
});

test("how many jobs a rule has", () => {
  assert.deepEqual(
    [
      { jobs: 1 },
      { jobs: 0 },
      { jobs: 2 },
      { jobs: 2, open: true },
      { jobs: 0, open: true },
      { recipe: false, jobs: 0 },
      { jobs: null },
      { active: false },
    ].map((each) => countOf({ ...ROW, ...each })),
    ["1 job", "0 jobs", "2 jobs", "2 jobs or more", "", "", "", "inactive"],
  );
});

test("why a rule has no buttons", () => {
  assert.equal(whyNot({ ...ROW, goals: ["out/a.txt"] }), undefined);
  assert.match(whyNot({ ...ROW, active: false }) ?? "", /@active_if/);
  assert.match(whyNot({ ...ROW, kind: "%", jobs: null }) ?? "", /needs a file/);
  assert.match(whyNot({ ...ROW, open: true }) ?? "", /split/);
  assert.match(whyNot({ ...ROW, jobs: 0 }) ?? "", /nothing matches/);
  assert.match(whyNot({ ...ROW, jobs: 5000 }) ?? "", /too many/);
});
