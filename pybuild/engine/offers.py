"""The names that a command line may use, as the last load of a project knew them: what shell
completion offers. Imports next to nothing.

`.pybuild/names` holds four texts with two null characters between them: the build file's name,
variables, rules and tasks (each with a tab and its description), and targets; those have one null
character between them. It may be deleted: the next build that loads the build file writes it anew.
"""

from __future__ import annotations

import os

from pybuild.engine.key import STATE_FOLDER
from pybuild.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NAMES = f"{STATE_FOLDER}/names"
_PARTS = 4


class Offers(NamedTuple):
    """Names of a build file: variables, rules and tasks with their descriptions, and targets."""

    path: str
    variables: Sequence[str] = ()
    rules: Sequence[tuple[str, str]] = ()
    targets: Sequence[str] = ()


def write_offers(offers: Offers) -> None:
    """Keeps the names for completion, in the working folder. A disk that is full or may not be
    written to is no error: nothing is offered then."""
    rules = (f"{name}\t{' '.join(text.split())}" for name, text in offers.rules)
    parts = ([offers.path], offers.variables, rules, offers.targets)
    data = "\0\0".join(map("\0".join, parts)).encode("utf-8", "surrogateescape")
    temporary = f"{NAMES}.{os.getpid()}"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, NAMES)
    except OSError:
        if os.path.exists(temporary):
            os.unlink(temporary)


def read_offers() -> Offers | None:
    """The names that were kept in the working folder; None if there are none."""
    try:
        with open(NAMES, "rb") as file:
            data = file.read()
    except OSError:
        return None
    parts = data.decode("utf-8", "surrogateescape").split("\0\0")
    if len(parts) != _PARTS:
        return None
    path, variables, rules, targets = parts
    return Offers(path, _split(variables), list(map(_rule, _split(rules))), _split(targets))


def _split(part: str) -> list[str]:
    return part.split("\0") if part else []


def _rule(item: str) -> tuple[str, str]:
    name, _, text = item.partition("\t")
    return name, text


def own_outputs(names: Iterable[str]) -> list[str]:
    """Those among the outputs of jobs that are files of the project, and none of pybuild's."""
    return [name for name in names if not name.startswith(f"{STATE_FOLDER}/")]
