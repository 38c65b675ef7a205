"""`--lsp` as a program: where its packages are missing, and what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("package", ["lsprotocol", "pygls"])
def test_what_is_missing_is_told_with_how_to_get_it(tmp_path: Path, package: str) -> None:
    (tmp_path / f"{package}.py").write_text(f"raise ModuleNotFoundError(name={package!r})\n")
    done = subprocess.run(
        [sys.executable, "-m", "pybuild", "--lsp"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert done.returncode == 2
    assert (
        done.stderr
        == f"pybuild: `--lsp` needs the package {package}: pip install 'pybuild[editor]'\n"
    )


def test_a_request_that_is_refused_leaves_no_traceback(tmp_path: Path) -> None:
    start = {"processId": None, "rootUri": tmp_path.as_uri(), "capabilities": {}}
    messages = [
        {"id": 1, "method": "initialize", "params": start},
        {"method": "initialized", "params": {}},
        {"id": 2, "method": "workspace/executeCommand", "params": {"command": "pybuild.run"}},
        {"id": 3, "method": "shutdown"},
        {"method": "exit"},
    ]
    texts = [json.dumps({"jsonrpc": "2.0", **each}) for each in messages]
    done = subprocess.run(
        [sys.executable, "-m", "pybuild", "--lsp"],
        input="".join(f"Content-Length: {len(each)}\r\n\r\n{each}" for each in texts),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "no file for it" in done.stdout
    assert done.stderr == ""
