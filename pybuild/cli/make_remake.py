"""Makefiles that are made: before anything else, those that were read are goals themselves."""

from __future__ import annotations

from itertools import groupby

from pybuild.cli.make_read import Reading
from pybuild.makefile.evaluate import Makefile
from pybuild.makefile.looks import time_of
from pybuild.makefile.node import Status
from pybuild.makefile.nodes import is_remade
from pybuild.makefile.update import Walk
from pybuild.typed import Sequence


class Unmade(Exception):
    """Makefiles could not be made; all has been said."""


class Restart(Exception):
    """Makefiles were made anew: all begins again."""


def remake(walk: Walk, reading: Reading) -> None:
    """Brings the makefiles up to date. Raises Restart if one has changed, Unmade if one that must
    be there could not be made."""
    wanted = [each for each in reading.reader.makefiles if is_remade(reading.database, each.name)]
    if not wanted:
        return
    before = {each.name: time_of(each.name) for each in wanted}
    _mark(walk, wanted)
    _update(walk, reading, wanted)
    failed = [each for each in wanted if _is_lost(walk, each)]
    if failed and not walk.manner.keep_going:
        raise Unmade
    for each in failed:
        where = reading.start.program if each.place is None else each.place
        reading.start.console.err(f"{where}: Failed to remake makefile '{each.name}'.\n")
    if any(time_of(name) != old for name, old in before.items()):
        raise Restart
    if failed:
        raise Unmade


def _mark(walk: Walk, wanted: Sequence[Makefile]) -> None:
    for each in wanted:
        for node in walk.nodes_of(each.name):
            node.target.is_makefile = True
            node.dont_care = not each.required
            if each.place is not None and each.required and not each.found:
                node.not_found = f"{each.place}: {each.name}: {each.error}\n"


def _update(walk: Walk, reading: Reading, wanted: Sequence[Makefile]) -> None:
    """Walks the makefiles. Options that keep recipes from running do not count for them, but
    for those that are goals too."""
    manner, telling = walk.manner, walk.executor.telling
    always = manner.always and not reading.restarts
    for_goals = manner._replace(always=always)
    debug, levels = walk.debug, walk.debug.levels
    if "makefiles" not in levels:
        debug.set_levels(frozenset())
    debug.base = 1
    walk.is_remaking = True
    try:
        for is_goal, some in groupby(wanted, lambda each: each.name in reading.start.goals):
            walk.manner, walk.executor.telling = for_goals, telling
            if not is_goal:
                walk.manner = for_goals._replace(dry=False, question=False)
                walk.executor.telling = telling._replace(dry=False, question=False, touch=False)
            walk.update([each.name for each in some])
    finally:
        walk.manner, walk.executor.telling = manner, telling
        walk.is_remaking = False
        debug.base = 0
        debug.set_levels(levels)


def _is_lost(walk: Walk, makefile: Makefile) -> bool:
    """Whether a makefile that must be there could not be made, or not be brought up to date."""
    return makefile.required and any(
        node.status == Status.FAILED for node in walk.nodes_of(makefile.name)
    )
