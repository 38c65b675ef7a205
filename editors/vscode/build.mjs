// Bundles the extension into dist/, and copies there what the project has elsewhere: the grammar and
// the licence. `--minify` for the package, `--tests` bundles the tests of the pure parts too.

import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { build } from "esbuild";

const asked = new Set(process.argv.slice(2));
mkdirSync("dist", { recursive: true });
copyFileSync("../../grammar/pipefile.tmLanguage.json", "dist/pipefile.tmLanguage.json");
copyFileSync("../../LICENSE", "LICENSE.txt");

const shared = { bundle: true, platform: "node", target: "node20", logLevel: "warning" };
await build({
  ...shared,
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  format: "cjs",
  external: ["vscode"],
  minify: asked.has("--minify"),
  sourcemap: !asked.has("--minify"),
});
if (asked.has("--tests")) {
  await build({
    ...shared,
    entryPoints: readdirSync("test").filter((name) => name.endsWith(".test.ts")).map((name) => `test/${name}`),
    outdir: "dist/test",
    outExtension: { ".js": ".mjs" },
    format: "esm",
  });
}
