"""Looking at an opened project without running any of it: what a build would judge and say."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pybuild.engine.events import Event, Summary
from pybuild.engine.ports import Report
from pybuild.graph import Job
from pybuild.pipefile.rules import PATTERN
from pybuild.project import Project, Wish
from pybuild.source import BuildError


class Silent(Report):
    """A report that says nothing."""

    def handle(self, event: Event) -> None:
        """Takes any event and does nothing about it."""


def as_dry(wish: Wish) -> Wish:
    """The wish as a dry run that mistakes do not end, and that runs not even what `+` marks."""
    return wish._replace(dry=True, bare=True, question=False, touch=False, keep_going=True)


def everything(project: Project) -> list[Job]:
    """Jobs that stand for all that the Pipefile can make, but for what is made on demand."""
    world = project.loaded.world
    found = []
    for rule in project.loaded.pipeline.rules:
        if rule.flavour == PATTERN or not rule.settings.active:
            continue
        try:
            found.append(world.whole_rule(rule))
        except BuildError:
            found += world.jobs_of[rule.index]  # that it matches nothing is said elsewhere
    return found


def judge(project: Project, goals: Sequence[Job], wish: Wish, report: Report) -> Summary:
    """Judges goals and all they need, and runs nothing, not even what `+` marks.

    Files of splits that are up to date flow on, as in a build. Raises BuildError if the plan is
    wrong. A signal that comes meanwhile has its usual effect afterwards.
    """
    from pybuild.engine.build import Interrupted

    try:
        return project.build(goals, wish, report)
    except Interrupted as stop:
        os.kill(os.getpid(), stop.signum)
        raise KeyboardInterrupt from None


def settle_splits(project: Project, wish: Wish, report: Report) -> None:
    """Lets the files of splits that are up to date flow on, so that more jobs are known."""
    world = project.loaded.world
    before: list[Job] = []
    while True:
        jobs = [
            job
            for rule in project.loaded.pipeline.rules
            if rule.splits
            for job in world.jobs_of[rule.index]
        ]
        if len(jobs) == len(before):
            return
        before = jobs
        try:
            judge(project, jobs, wish, report)
        except BuildError:
            return  # that a split lacks its data is for those to say who want its files
