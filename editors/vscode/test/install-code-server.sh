#!/usr/bin/env bash
# Installs code-server (Visual Studio Code in a browser) and puppeteer-core in FOLDER, for run-in-browser.mjs.
#
# What its own installer downloads from elsewhere is built here instead. Needs node with its headers,
# a C++ compiler, the headers of Kerberos (Debian: libkrb5-dev), and ripgrep (Debian: ripgrep).
#
# usage: install-code-server.sh FOLDER
set -euo pipefail

folder=${1:?usage: install-code-server.sh FOLDER}
headers=$(node -p 'path.dirname(path.dirname(process.execPath))')
node_gyp=$(npm root -g)/npm/node_modules/node-gyp/bin/node-gyp.js
mkdir -p "$folder"
cd "$folder"
[ -f package.json ] || echo '{"private": true}' > package.json
npm install --ignore-scripts --no-audit --no-fund code-server@4.100.3 puppeteer-core

build() { # FOLDER [OPTION...]: its native part, against the headers of the node that is here
    (cd "$1" && shift && node "$node_gyp" rebuild --nodedir="$headers" "$@")
}

# What code-server itself needs: a module for passwords.
build node_modules/argon2 --module_name=argon2 --module_path="$PWD/node_modules/argon2/lib/binding/napi-v3"

# What the editor inside of it needs.
cd node_modules/code-server/lib/vscode
npm install --ignore-scripts --no-audit --no-fund --omit=dev
for module in node-pty @vscode/spdlog @parcel/watcher native-watchdog kerberos; do
    build "node_modules/$module"
done
mkdir -p node_modules/@vscode/ripgrep/bin
ln -sf "$(command -v rg)" node_modules/@vscode/ripgrep/bin/rg
(cd extensions && npm install --ignore-scripts --no-audit --no-fund --omit=dev)
ln -sfn node_modules node_modules.asar
