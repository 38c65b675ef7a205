"""`--completion SHELL`: the script that completes command lines of pybuild in a shell."""

from __future__ import annotations

import os
import sys

from pybuild.cli.options import UsageError, option_of


def completion(shell: str) -> int:
    """Prints the script for a shell. Returns 0. Raises UsageError for a shell without one."""
    option = option_of("--completion")
    assert option is not None
    if shell not in option.choices:
        raise UsageError(f"`--completion={shell}`: it is {', '.join(option.choices)}")
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"completion.{shell}")
    with open(path, encoding="utf-8") as file:
        sys.stdout.write(file.read())
    return 0
