// Prints the tokens that Visual Studio Code makes of the files it is given, as one object:
// for each file a list of lines, for each line its tokens [start, end, scope, ...], in UTF-16 units.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const require = createRequire(import.meta.url);
const own = new URL("../../../grammar/pipefile.tmLanguage.json", import.meta.url);
const embedded = { "source.python": "python", "source.shell": "shellscript", "source.r": "r", "source.perl": "perl" };

function grammarText(scope) {
  if (scope === "source.pipefile") return readFileSync(own, "utf8");
  const name = embedded[scope];
  return name && readFileSync(require.resolve(`tm-grammars/grammars/${name}.json`), "utf8");
}

async function theGrammar() {
  const wasm = readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (scope) => {
      const text = grammarText(scope);
      return text ? textmate.parseRawGrammar(text, `${scope}.json`) : null;
    },
  });
  return registry.loadGrammar("source.pipefile");
}

function tokensOf(grammar, text) {
  let stack = textmate.INITIAL;
  return text.split("\n").map((line) => {
    const done = grammar.tokenizeLine(line, stack);
    stack = done.ruleStack;
    return done.tokens.map((token) => [token.startIndex, token.endIndex, ...token.scopes]);
  });
}

const grammar = await theGrammar();
const found = Object.fromEntries(
  process.argv.slice(2).map((path) => [path, tokensOf(grammar, readFileSync(path, "utf8"))]),
);
process.stdout.write(JSON.stringify(found));
