"""The extension for Visual Studio Code: its own tests, and snippets that the parser takes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

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


def test_the_tests_of_the_extension_pass() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here")
    if not (FOLDER / "node_modules" / "esbuild").is_dir():
        pytest.skip("node packages are not installed: run `npm ci` in editors/vscode")
    for script in ("check", "test"):
        done = subprocess.run(
            [npm, "run", script], cwd=FOLDER, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
