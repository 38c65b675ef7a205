"""The extension for Visual Studio Code: its own tests, snippets that the parser takes, and the packed
extension in a real editor."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pybuild.pipefile.parse import parse
from pybuild.source import Source
from tests.editors.places import ROOT

FOLDER = ROOT / "editors" / "vscode"
SNIPPETS = json.loads((FOLDER / "snippets" / "pipefile.json").read_text("utf-8"))


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_snippet_is_a_pipefile(name: str) -> None:
    text = re.sub(r"\$\{\d+:([^}]*)\}", r"\1", "\n".join(SNIPPETS[name]["body"]))
    _, diagnostics = parse(Source("Pipefile", text + "\n"))
    assert not diagnostics


def _npm() -> str:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here")
    if not (FOLDER / "node_modules" / "esbuild").is_dir():
        pytest.skip("node packages are not installed: run `npm ci` in editors/vscode")
    return npm


def _run(words: list[str], environment: dict[str, str] | None = None) -> str:
    """What a command prints in the extension's folder; it has to succeed."""
    done = subprocess.run(
        words,
        cwd=FOLDER,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("script", ["check", "test"])
def test_the_tests_of_the_extension_pass(script: str) -> None:
    _run([_npm(), "run", script])


def test_the_packed_extension_in_a_real_editor(tmp_path: Path) -> None:
    """Pictures are left in the folder that CODE_SERVER_PICTURES names."""
    npm = _npm()
    code_server = os.environ.get("CODE_SERVER")
    if not code_server:
        pytest.skip(
            "CODE_SERVER does not name a folder of editors/vscode/test/install-code-server.sh"
        )
    if shutil.which("chromium") is None:
        pytest.skip("there is no chromium here")
    if importlib.util.find_spec("pygls") is None:
        pytest.skip("the language server needs `pip install 'pybuild[editor]'`")
    program = tmp_path / "pybuild"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pybuild "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    package = tmp_path / "pybuild.vsix"
    _run([npm, "run", "package", "--", "--out", str(package)])
    pictures = os.environ.get("CODE_SERVER_PICTURES", str(tmp_path / "pictures"))
    printed = _run(
        ["node", "test/run-in-browser.mjs", code_server, str(package), pictures],
        {"PYBUILD": str(program), "PYTHONPATH": str(ROOT)},
    )
    seen = json.loads(printed)
    assert seen["lenses"] == ["run", "dry run", "why", "graph"]
    assert [row.split(" ")[0] for row in seen["targets"]] == [
        "alldefault",
        "loud2",
        "summary.txt1",
        "copies/<name>.txt2",
        "broken1",
    ]
    assert sorted(seen["copies"]) == ["one.txt", "two.txt"]
    assert seen["summary"] == "ONE\nTWO"
    assert {"all", "loud"} <= set(seen["graph"])
