"""The hall: opens a project, joins front end, engine and runners, and builds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FrameType

from pybuild import __version__
from pybuild.engine.events import Event, Judged, Message, Started, Summary
from pybuild.engine.key import STATE_FOLDER
from pybuild.engine.lock import Lock
from pybuild.engine.staleness import Level, Rules, UpToDate
from pybuild.engine.traces import Journal
from pybuild.files import Disk, Files, Pretending, Recording, Untouched
from pybuild.graph import Job
from pybuild.kept import Head, Part, keep, keep_again, revive
from pybuild.names import Pattern, folder_of, glob_pieces, glob_text, normalise
from pybuild.phases import Phases
from pybuild.pipefile.guest import Makefiles
from pybuild.pipefile.load import Loaded, Request, load, only_names
from pybuild.pipefile.modules import find_project_modules, forget_project_modules
from pybuild.pipefile.watch import Watch, end_watch
from pybuild.seen import Seen
from pybuild.source import BuildError, Diagnostic, Note, Span, did_you_mean
from pybuild.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pybuild.engine.build import Build, Known, Manner
    from pybuild.engine.flat import Flat
    from pybuild.engine.ports import Grow, Report, Runner
    from pybuild.graph import Graph
    from pybuild.leftovers import Leftovers
    from pybuild.pipefile.evaluation import Evaluator
    from pybuild.pipefile.program import Program
    from pybuild.pipefile.syntax import Tree
    from pybuild.runners.services import Services
    from pybuild.source import Source

PIPEFILE = "Pipefile"
_MOST_RELOADS = 10


class Opening(NamedTuple):
    """What is opened, and with which names: the file ("" for the usual one), `NAME=value` of the
    command line, text to be read first, how environment and include folders count, a program that
    is read instead of a file, who reads makefiles, texts that stand in for files (as they are
    broken now, or not saved), who evaluates the user's Python (None: it is run), and what stands in
    for the parser."""

    path: str = ""
    overrides: Mapping[str, str] = {}
    text: str = ""
    environment_wins: bool = False
    include_folders: Sequence[str] = ()
    program: Program | None = None
    makefiles: Makefiles | None = None
    texts: Mapping[str, str] = {}
    evaluator: Evaluator | None = None
    parse: Callable[[Source], tuple[Tree, list[Diagnostic]]] | None = None


class Wish(NamedTuple):
    """How a build is to go; what the command line says, in the engine's words."""

    level: Level = Level.CONTENT
    jobs: int = 0  # 0: the number of CPUs; -1: no limit
    resources: Mapping[str, float] = {}
    minimal: bool = False
    keep_going: bool = False
    ignore_errors: bool = False
    everything: bool = False
    forced: frozenset[str] = frozenset()
    dry: bool = False
    bare: bool = False  # a dry run that does not run either what `+` marks
    question: bool = False
    touch: bool = False
    adopt: bool = False  # record what is there as made, and run nothing
    stream: bool | None = None  # None: when one job runs at a time
    load_limit: float = 0.0
    new: frozenset[str] = frozenset()
    old: frozenset[str] = frozenset()
    shuffle: str = ""
    forced_needed: bool = False  # whether it is a mistake to force what no goal needs


class _WithIncludes:
    """Stands before a report while included files are made and in the build that follows
    (`following`). The end is told once, and counts the jobs of both, each once."""

    def __init__(self, inner: Report, *, dry: bool) -> None:
        self.inner = inner
        self.interval = inner.interval
        self.dry = dry
        self.following = False
        self.started: dict[str, None] = {}
        self._seconds = 0.0
        self._met_again = 0
        self._up_to_date_now = 0

    def handle(self, event: Event) -> None:
        if isinstance(event, Judged | Started) and self._meets_again(event):
            return
        if not isinstance(event, Summary):
            self.inner.handle(event)
        elif self.following:
            self.inner.handle(
                event._replace(
                    ran=event.ran + len(self.started) - self._met_again,
                    up_to_date=event.up_to_date - self._up_to_date_now,
                    seconds=event.seconds + self._seconds,
                )
            )
        else:
            self._seconds += event.seconds

    def _meets_again(self, event: Judged | Started) -> bool:
        """Counts the event; whether it was told already: a dry run comes by the job again."""
        if not self.following:
            if isinstance(event, Started):
                self.started[event.job.name] = None
            return False
        if event.job.name not in self.started:
            return False
        if isinstance(event, Judged):
            self._up_to_date_now += isinstance(event.verdict, UpToDate)
        elif self.dry:
            self._met_again += 1
        return self.dry

    def tick(self) -> None:
        self.inner.tick()

    def close(self) -> None:
        self.inner.close()


class Project:
    """A project that has been opened: its graph, its records, its files.

    `errors` are mistakes of the Pipefile that stop every build. `head` says where its graph is to
    be kept when it is closed, None that it is not; `building` is the build that goes on.
    """

    def __init__(
        self, opening: Opening, level: Level = Level.CONTENT, phases: Phases | None = None
    ) -> None:
        self.phases = phases or Phases()
        self.opening = opening
        self.level = level
        self.path = "the pipeline" if opening.program else opening.path
        if opening.program is None and opening.path not in opening.texts:
            self.path = find_pipefile(opening.path)
        self.files: Files = Disk()
        self.lock = Lock(os.path.join(STATE_FOLDER, "lock"))
        self.head: Head | None = None
        self.part: Part | None = None
        self.watch: Watch | None = None  # sees what the load looked at, and what is called later
        self.building: Build | None = None
        self.services: Services | None = None  # that go on beside builds
        self._wanted: Sequence[Job] = ()

    def open(self) -> None:
        """Reads records and Pipefile."""
        with self.phases("read the journal"):
            self.journal = Journal(os.path.join(STATE_FOLDER, "journal"))
        self._made: dict[str, bytes] | None = None
        self._abandoned: frozenset[str] = frozenset()
        self.loaded = self._load()

    def revive(self, flat: Flat, moved: Sequence[int]) -> Part | None:
        """Instead of `open`: what of a kept graph has to be looked at, as its files have moved.
        None if only a whole load can tell; then the project is let go of."""
        forget_project_modules(os.getcwd())
        find_project_modules(os.getcwd())
        end_watch()
        journal = os.path.join(STATE_FOLDER, "journal")
        with self.phases("bring back"):
            self.part = revive(flat, moved, self._request(self.files), journal)
        if self.part is None:
            self.lock.release()
        else:
            self.journal = self.part.journal
        return self.part

    @property
    def graph(self) -> Graph:
        """All jobs that are known."""
        return self.part.world.graph if self.part else self.loaded.world.graph

    @property
    def grow(self) -> Grow:
        """Who knows of jobs that become known late."""
        return self.part.world if self.part else self.loaded.world

    @property
    def pools(self) -> Mapping[str, int]:
        """How many jobs of a pool may run at once."""
        return (self.part.world if self.part else self.loaded).pipeline.pools

    def lock_and_reread(self, command: str, report: Report) -> None:
        """Takes the project for a build; what another build has recorded meanwhile counts."""

        waited: list[str] = []

        def waiting(holder: str) -> None:
            report.handle(Message(f"waiting for another build: {holder or 'of an unknown holder'}"))
            waited.append(holder)

        try:
            self.lock.acquire(command, waiting)
        except OSError:
            # Where nothing can be written a build with nothing to do works all the same; one that
            # has to run something complains of the journal.
            return
        if waited or not self.journal.is_current():
            self.open()

    def lock_at_once(self, command: str) -> bool:
        """Takes the project for a build if nobody else has it and there can be a lock."""
        try:
            return self.lock.try_acquire(command)
        except OSError:
            return False

    def close(self) -> None:
        """Lets go of the records and of the project."""
        try:
            self.journal.close()
            with self.phases("keep the graph"):
                self._keep()
        except OSError as error:
            from pybuild.engine.build import journal_error

            raise journal_error(self.journal.path, error) from None
        finally:
            self.lock.release()

    def leave_offers(self) -> None:
        """Writes down the names that a command line may use, for the completion in shells."""
        from pybuild.engine.offers import Offers, own_outputs, write_offers

        pipeline = self.loaded.pipeline
        rules = {rule.name: rule.settings.description for rule in pipeline.rules if rule.name}
        tasks = dict.fromkeys(pipeline.phony, "") | rules
        # A rule without a recipe has no jobs, and `all` may be a goal all the same.
        written = [each.literal or "" for rule in pipeline.rules for each in rule.targets]
        targets = own_outputs(dict.fromkeys([*written, *self.loaded.world.graph.producer]))
        others = [name for name in targets if name and name not in tasks]
        write_offers(Offers(self.path, list(pipeline.variables), list(tasks.items()), others))

    def _keep(self) -> None:
        """Writes the graph for the next start, where `head` says."""
        if self.head is None:
            return
        if self.part is not None:
            keep_again(self.head, self.part, self.files)
        elif self.watch is not None:
            keep(
                self.head,
                self.loaded,
                self.watch,
                self.looked,
                self._wanted,
                self.files,
                self.journal,
            )

    def _load(self) -> Loaded:
        if self.opening.program is None:  # a program's modules are its own
            forget_project_modules(os.getcwd())
        find_project_modules(os.getcwd())
        self.looked = Recording(self.files)
        request = self._request(self.looked)
        if self.opening.evaluator is not None:  # nothing of the user's is run
            with self.phases("load"):
                return load(request)
        watch = self.watch = Watch(Seen(), os.getcwd())
        watch.begin()
        with self.phases("load"):
            loaded = load(request._replace(unwatched=watch.pause))
        if loaded.world.guest is not None:
            watch.seen.unknowable["a makefile is read, and what that looks at is not known"] = None
        return loaded

    def _request(self, files: Files) -> Request:
        return Request(
            self.path,
            files,
            self._was_made,
            self._is_ours,
            self._outputs_of,
            dict(os.environ),
            self.opening.overrides,
            self.opening.text,
            os.path.join(STATE_FOLDER, "trees"),
            __version__,
            self.opening.environment_wins,
            self.opening.include_folders,
            phase=self.phases,
            program=self.opening.program,
            makefiles=self.opening.makefiles,
            texts=self.opening.texts,
            evaluator=self.opening.evaluator,
            parse=self.opening.parse,
        )

    def _was_made(self, name: str) -> bool:
        if self._made is None:
            self._made, self._abandoned = {}, self._left_by_splits()
            if self.level != Level.TIME:
                self._made = self.journal.made()
                self._abandoned |= {*self.journal.interrupted()}
        return name in self._made or name in self._abandoned

    def _left_by_splits(self) -> frozenset[str]:
        """Files of splits that were started and never ended."""
        from pybuild.pipefile.universe import Universe

        nothing: Callable[[str], bool] = frozenset[str]().__contains__
        disk = Universe(self.files, nothing, nothing)
        return frozenset(
            name
            for begun in self.journal.unfinished()
            for text in begun.globs
            for name in begun.ours(disk.matches(Pattern(glob_pieces(text))))
        )

    def _outputs_of(self, job: str) -> tuple[str, ...]:
        trace = self.journal.trace(job)
        return trace.outputs if trace else ()

    def _is_ours(self, name: str) -> bool:
        """Whether a file still has the bytes that an earlier build gave it."""
        status = self.looked.status(name)
        if status is None or self._made is None:
            return False
        if name in self._abandoned:
            return True
        made = self._made.get(name, b"")
        return self.journal.is_as_made(name, made, status, self.files.digest)

    @property
    def errors(self) -> list[Diagnostic]:
        return [each for each in self.loaded.diagnostics if each.severity == "error"]

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """All that is wrong. Where names are unknown and a file to be included has to be made
        first, that is what is wrong."""
        found = self.loaded.diagnostics
        unmade = self._unmade_includes() if self.errors and only_names(self.errors) else []
        return [*unmade, *(each for each in found if each.severity != "error" or not unmade)]

    def _unmade_includes(self) -> list[Diagnostic]:
        return [
            _unmade_complaint(name, span, f"`pybuild {name}` makes it")
            for name, span, _ in self.loaded.pipeline.missing
            if self._maker(name) is not None
        ]

    def _maker(self, name: str) -> Job | None:
        world = self.loaded.world
        return world.graph.producer.get(name) or world.search.find(name)

    def refuse_errors(self, *, after_includes: bool = True) -> None:
        """Raises BuildError if the Pipefile is wrong; before its includes are made, names that
        they may define are not held against it."""
        waits = not after_includes and self.loaded.pipeline.missing and only_names(self.errors)
        if self.errors and not waits:
            errors = [each for each in self.diagnostics if each.severity == "error"]
            raise BuildError(*errors, *self._missing_for_good())

    def _missing_for_good(self) -> list[Diagnostic]:
        """Complaints of included files that are not there and that no rule could make."""
        from pybuild.pipefile.upstream import target_reach

        reaches = [each for rule in self.loaded.pipeline.rules for each in target_reach(rule)]
        return [
            self._missing_complaint(name, span)
            for name, span, optional in self.loaded.pipeline.missing
            if not optional and all(reach.match(name) is None for reach in reaches)
        ]

    def _missing_complaint(self, name: str, span: Span) -> Diagnostic:
        folder = folder_of(name)
        files = self.files.listing(folder)[0]
        near = did_you_mean(name, [f"{folder}/{each}" if folder else each for each in files])
        return Diagnostic(
            "PB209",
            f"no file `{name}`, and no rule makes it",
            span,
            help=near or "`-include` does not mind that a file is not there",
        )

    # -- goals -----------------------------------------------------------------------------

    def goals(self, names: Sequence[str]) -> tuple[list[Job], list[str], list[Diagnostic]]:
        """The jobs for the goals (none named: the default), the names of goals that are files which
        no rule makes, and complaints about goals that are nothing at all. Raises BuildError if
        there is no default."""
        world = self.loaded.world
        jobs: list[Job] = []
        sources: list[str] = []
        complaints: list[Diagnostic] = []
        if not names:
            self._check_all_matched()
            job = world.default_goal()
            if job is None:
                raise BuildError(
                    Diagnostic(
                        "PB308", f"`{self.path}` has no rules", help="write one: `all: FILE`"
                    )
                )
            return [job], [], []
        for name in names:
            try:
                found = world.goal(self._within(name))
            except BuildError as error:
                complaints += error.diagnostics
                continue
            if found is None:
                sources.append(name)
            else:
                jobs.append(found)
        return jobs, sources, complaints

    def _within(self, name: str) -> str:
        """An absolute name of a file in the project as its rules name it."""
        here = os.getcwd() + "/"
        known = name in self.loaded.world.graph.producer
        return name[len(here) :] if name.startswith(here) and not known else name

    def check_forced(self, names: Iterable[str]) -> None:
        """Raises BuildError if one of the names of `--force` is no rule and no target."""
        world = self.loaded.world
        for name in names:
            known = name in self.loaded.pipeline.named or normalise(name) in world.graph.producer
            if not known and world.goal(name) is None:
                raise BuildError(Diagnostic("PB305", f"no rule makes `{name}`"))

    def _check_all_matched(self) -> None:
        """A whole build complains of each rule that matches nothing, and then of all else that
        keeps the default goal from being made."""
        world = self.loaded.world
        complaints: list[Diagnostic] = []
        for rule in self.loaded.pipeline.rules:
            try:
                world.check_matched(rule)
            except BuildError as error:
                complaints += error.diagnostics
        if complaints:
            complaints += world.complaints()
            raise BuildError(*dict.fromkeys(complaints))

    # -- building --------------------------------------------------------------------------

    def make_includes(self, wish: Wish, report: Report) -> Report:
        """Makes the files that the Pipefile includes and rules can make, and reads it again; a
        dry run says what it would make. Returns the report for the build that follows: it counts
        these jobs as well. Raises BuildError for a file that is included, not there, and made by
        no rule, and what `build` raises."""
        both = _WithIncludes(report, dry=wish.dry)
        self._make_includes(wish, both)
        both.following = True
        return both if both.started else report

    def refuse_missing_includes(self) -> None:
        """Raises BuildError for a file that is included, not there, and made by no rule."""
        self._refuse_missing(self.include_makers(), dry=False)

    def refuse_unmade_includes(self) -> None:
        """Raises BuildError for a file that is included and not there: without it not all rules
        are known."""
        self.refuse_missing_includes()
        if unmade := self._unmade_includes():
            raise BuildError(*unmade)

    def include_makers(self) -> list[Job]:
        """The jobs that make files that the Pipefile includes."""
        wanted = [name for name, _, _ in self.loaded.pipeline.missing]
        wanted += self.loaded.pipeline.included
        return [job for name in dict.fromkeys(wanted) if (job := self._maker(name)) is not None]

    def _make_includes(self, wish: Wish, report: Report) -> None:
        for _ in range(_MOST_RELOADS):
            makers = self.include_makers()
            self._refuse_missing(makers, dry=wish.dry)
            if not makers or (wish.question and self.errors):
                return
            before = {name: self._digest_of(name) for job in makers for name in job.outputs}
            quiet = wish._replace(touch=False, everything=False)
            summary = self.build(makers, quiet, report)
            if summary.failures:
                raise BuildError(Diagnostic("PB309", "a file that is included could not be made"))
            if wish.dry:
                return
            if all(self._digest_of(name) == old for name, old in before.items()):
                return
            self.loaded = self._load()
            if self.errors:
                return
        raise BuildError(Diagnostic("PB309", "included files change each time they are made"))

    def _digest_of(self, name: str) -> bytes | None:
        try:
            return self.files.digest(name)
        except OSError:
            return None

    def _refuse_missing(self, makers: Sequence[Job], *, dry: bool) -> None:
        made = frozenset(name for job in makers for name in job.outputs)
        complaints = []
        for name, span, optional in self.loaded.pipeline.missing:
            if name in made and dry:
                complaints.append(_unmade_complaint(name, span, "run without `-n`"))
            elif name not in made and not optional:
                complaints.append(self._missing_complaint(name, span))
        if complaints:
            raise BuildError(*complaints)

    def build(
        self, goals: Sequence[Job], wish: Wish, report: Report, known: Known | None = None
    ) -> Summary:
        """Brings goals up to date; `known` is what is known besides them. Raises what `Build.run`
        raises."""
        from pybuild.engine.build import Build, Interrupted

        files: Files = self.files
        if wish.dry:
            files = Pretending(files, time.time_ns())
        elif wish.adopt:
            files = Untouched(files)
        manner = self._manner(wish)
        build = Build(
            self.graph,
            self.grow,
            files,
            self.journal,
            lambda: self._runner(wish, files, manner),
            report,
            manner,
        )
        restore = _catch_signals(build)
        self.building = build
        try:
            with self.phases("build"):
                summary = build.run(goals, known)
            self._wanted = build.scheduler.wanted
        except Interrupted:
            raise
        except BaseException:
            build.abandon()
            raise
        finally:
            self.building = None
            build.close()
            report.close()
            restore()
        if build.stop_signal:
            raise Interrupted(build.stop_signal)  # it came when all was done
        return summary

    def _manner(self, wish: Wish) -> Manner:
        from pybuild.engine.build import Manner
        from pybuild.engine.scheduler import Capacity

        jobs = wish.jobs or _processors()
        forced = frozenset(map(normalise, wish.forced))
        included = {
            name
            for job in (self.include_makers() if forced else ())
            for name in (job.traits.rule, *job.outputs)
        }
        resources = {**_machine(jobs), **wish.resources}
        return Manner(
            Rules(
                # Where only times count, whether there is a record would make no difference.
                max(wish.level, Level.HISTORY) if wish.adopt else wish.level,
                wish.everything,
                forced,
                frozenset(map(normalise, wish.old)),
                frozenset(map(normalise, wish.new)),
            ),
            Capacity(max(0, jobs), resources, self.pools),
            wish.minimal,
            wish.keep_going,
            wish.ignore_errors or wish.adopt,
            wish.dry,
            wish.bare,
            wish.question,
            records=not (wish.dry or wish.question),
            touch=wish.touch,
            adopt=wish.adopt,
            load_limit=wish.load_limit,
            order=_order(wish.shuffle),
            needed=forced - included if wish.forced_needed else (),
        )

    def _runner(self, wish: Wish, files: Files, manner: Manner) -> Runner:
        def local() -> Runner:
            from pybuild.runners.local import LocalRunner

            stream = manner.capacity.jobs == 1 if wish.stream is None else wish.stream
            return LocalRunner(STATE_FOLDER, stream=stream, lock=self.lock.handle)

        if wish.adopt:
            from pybuild.runners.adopt import AdoptRunner

            return AdoptRunner(files, self.grow.claimable)
        if wish.touch and not wish.dry:
            from pybuild.runners.touch import TouchRunner

            return TouchRunner(files, self.grow.claimable, local)
        if self.services is not None:
            from pybuild.runners.services import ServiceRunner

            return ServiceRunner(local(), self.services, self._service_key)
        return local()

    def _service_key(self, job: Job) -> bytes:
        """What tells apart what a service depends on: its recipe, values and prerequisites."""
        recipe = job.recipe
        parts = [recipe.text_digest, recipe.values_digest] if recipe else []
        return b"".join([*parts, *(self._digest_of(name) or b"-" for name in job.inputs)])

    def adopt(self, names: Sequence[str], report: Report) -> list[str]:
        """`-t` for files that an earlier build made and no rule makes now: they become sources.
        Returns the other names."""
        others = []
        for name in names:
            job = self.journal.maker(normalise(name))
            if job is not None and self.loaded.world.universe.is_leftover(normalise(name)):
                self.journal.forget(job)
                report.handle(Message(f"`{name}` is a file of your own now"))
            else:
                others.append(name)
        if len(others) < len(names):
            self._made = None
            self.loaded = self._load()
        return others

    # -- records ---------------------------------------------------------------------------

    def forget(self, job: str) -> None:
        """Drops the record of a job. The files of a split stay its own: it removes them when it
        runs again. Of a job that is not known yet, because a split has to run first, the record
        stays for the sake of its files, and it counts as interrupted. Raises BuildError."""
        known = self.loaded.world.graph.producer.get(job)
        self.journal.hold()
        try:
            if known is None or known.name != job:
                self.journal.start(job)
            else:
                left = self._left_by(known) if known.patterns else []
                self.journal.forget(job)
                if left:
                    globs = [glob_text(each) for each in known.patterns]
                    self.journal.start(job, (), globs)
                    self.journal.failed(job, left)
            self.journal.release()
        except OSError as error:
            from pybuild.engine.build import journal_error

            raise journal_error(self.journal.path, error) from None

    def _left_by(self, split: Job) -> list[str]:
        """The files on disk that a split has made, by its record."""
        begun = self.journal.started(split.name)
        found = dict.fromkeys(self._outputs_of(split.name))
        if begun is not None:
            found.update(dict.fromkeys(begun.ours(self.grow.strangers(split))))
        return list(found)

    def leftovers(self) -> Leftovers:
        """The files that an earlier build made and that no rule makes now."""
        from pybuild.leftovers import find_leftovers

        read = self.watch.seen.files if self.watch else ()
        return find_leftovers(self.loaded, self.journal, self.files, read)

    def remove_leftovers(self, found: Leftovers) -> Iterator[tuple[str, OSError | None]]:
        """Removes leftovers and their records; gives each file, and why it could not be removed if
        so. Raises BuildError if that cannot be recorded."""
        from pybuild.leftovers import remove_leftovers

        try:
            yield from remove_leftovers(found, self.loaded, self.journal, self.files)
        except OSError as error:
            from pybuild.engine.build import journal_error

            raise journal_error(self.journal.path, error) from None


def _unmade_complaint(name: str, span: Span, help: str) -> Diagnostic:
    return Diagnostic("PB209", f"`{name}` has to be made before it can be read", span, help=help)


def find_pipefile(path: str) -> str:
    """The build file to read. Raises BuildError if there is none."""
    name = path or PIPEFILE
    if os.path.isdir(name):
        raise BuildError(Diagnostic("PB310", f"`{name}` is a folder where a Pipefile is due"))
    if os.path.lexists(name) or path == "-":
        return name
    if path:
        raise BuildError(Diagnostic("PB310", f"there is no file `{path}`"))
    notes: tuple[Note, ...] = ()
    for name in sorted(os.listdir(".")):
        if name.lower() == PIPEFILE.lower():
            notes = (Note(f"there is `{name}`: the name is `{PIPEFILE}`"),)
    raise BuildError(
        Diagnostic(
            "PB310",
            f"there is no `{PIPEFILE}` in this folder",
            notes=notes,
            help="name one with `-f FILE`, or go to its folder with `-C FOLDER`",
        )
    )


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _machine(jobs: int) -> dict[str, float]:
    """What there is of what every machine has: processors, by `-j`, and memory in bytes."""
    found: dict[str, float] = {} if jobs < 0 else {"cpus": float(jobs)}
    try:
        found["mem"] = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError):
        pass
    return found


def _order(shuffle: str) -> Callable[[Job], float] | None:
    """`--shuffle`: another order of the jobs that are ready, each time; a number makes it
    repeatable."""
    if not shuffle or shuffle in ("none", "identity"):
        return None
    if shuffle == "reverse":
        return lambda job: float(job.number)
    import random

    dice = random.Random(shuffle if shuffle.isdecimal() else None)
    return lambda _: dice.random()


def _catch_signals(build: Build) -> Callable[[], None]:
    """Signals that end a build are told to it; returns what puts the old handlers back."""

    def handler(signum: int, _: FrameType | None) -> None:
        build.interrupt(signum)

    old = {}
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        try:
            old[each] = signal.signal(each, handler)
        except ValueError:
            break  # not in the main thread: whoever runs us there handles signals

    def restore() -> None:
        for signum, handler in old.items():
            signal.signal(signum, handler)

    return restore
