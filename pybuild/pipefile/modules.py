"""Modules of the project: found in its folder, and always read from their source.

Python trusts bytecode whose source has the same size and the same time in whole seconds. An edit
within a second of the last build would go unseen, and a result of the old code be recorded for the
new. So nothing below the project's folder is read from bytecode or leaves any.
"""

from __future__ import annotations

import os
import sys

# What `importlib.machinery` passes on, taken where it is: to import anything while a path is looked
# into would look into that path.
from _frozen_importlib_external import ExtensionFileLoader, FileFinder, SourceFileLoader
from _imp import extension_suffixes
from collections.abc import Callable

from pybuild.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import PathEntryFinder

_hooks: dict[str, Callable[[str], PathEntryFinder]] = {}  # of the project, by its folder


def find_project_modules(root: str) -> None:
    """Puts the project's folder at the end of the search path, and takes care of what is found
    there."""
    here = os.path.realpath(root)
    # `python -m` and `python -c` put the working folder first; pybuild looks there last, however
    # it was started, so that no file of a project can stand in for a module that others import.
    projects = {here, *_hooks}
    sys.path[:] = [each for each in sys.path if each and os.path.abspath(each) not in projects]
    sys.path.append(here)
    if here in _hooks:
        return
    while _hooks:
        sys.path_hooks.remove(_hooks.popitem()[1])
    _hooks[here] = _hook(here)
    sys.path_hooks.insert(0, _hooks[here])
    for place in list(sys.path_importer_cache):
        if any(_is_within(place, each) for each in projects):
            del sys.path_importer_cache[place]


def _is_within(path: str, folder: str) -> bool:
    path = os.path.abspath(path)
    return (path + "/").startswith(folder + "/") and "site-packages" not in path


def forget_project_modules(root: str) -> None:
    """Modules of an earlier load are forgotten, so that they are read again, those of another
    project too."""
    folders = {os.path.realpath(root), *_hooks}
    for name, module in list(sys.modules.items()):
        filename = getattr(module, "__file__", None)
        is_ours = name == "__main__" or name.partition(".")[0] == "pybuild"
        if filename and not is_ours and any(_is_within(filename, each) for each in folders):
            del sys.modules[name]


def _hook(folder: str) -> Callable[[str], PathEntryFinder]:
    def find(path: str) -> PathEntryFinder:
        if not _is_within(path, folder):
            raise ImportError(path)
        return FileFinder(path, (ExtensionFileLoader, extension_suffixes()), (_FromSource, [".py"]))

    return find


class _FromSource(SourceFileLoader):
    """Without the times of a source Python neither reads nor writes bytecode for it."""

    def path_stats(self, path: str) -> dict[str, float]:
        raise OSError(path)
