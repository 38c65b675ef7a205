"""`--lsp` where its packages are missing."""

from __future__ import annotations

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
