"""A Pipefile becomes a graph: the stages one after the other.

Trees are kept in `.pybuild/trees` under the digest of their text, so that a Pipefile that has not
changed is not parsed again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from pybuild.content import digest_of
from pybuild.files import Files
from pybuild.names import Pattern, glob_pieces, normalise
from pybuild.pipefile import syntax
from pybuild.pipefile.builtins import LoadTime
from pybuild.pipefile.evaluation import Evaluator
from pybuild.pipefile.fingerprint import Fingerprints
from pybuild.pipefile.guest import Guest, Makefiles
from pybuild.pipefile.resolve import Resolver
from pybuild.pipefile.rules import Pipeline
from pybuild.pipefile.watch import noted
from pybuild.source import BuildError, Diagnostic, Note, Source, Span
from pybuild.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pybuild.pipefile.instantiate import Instantiation
    from pybuild.pipefile.memory import Memory
    from pybuild.pipefile.program import Program

_MOST_ROUNDS = 10
_FORM = 2  # of kept trees: another one where `syntax` means something else


class Request(NamedTuple):
    """What is to be loaded and how.

    `path` is the Pipefile's name, `text` what stands before it (`--eval`), `overrides` are
    `NAME=value` of the command line, `trees` the folder of kept trees ("" for none). `made` tells
    whether an earlier build made a file, `is_ours` whether it still has those bytes,
    `outputs_of` which files a job made when it last ran. `unwatched` is put around commands that
    the file runs, `phase` around each stage (its name is given). With a `program` there is no file:
    it gives the statements. `makefiles` reads those that are included, or that `path` is. `texts`
    are read in place of the files of these names; `evaluator` gives the user's Python its values,
    None: it is run. `parse` stands in for the parser and its kept trees. Without `matching` no file
    is held against a rule, and there are no jobs. `memory` has what rules came to before.
    """

    path: str
    files: Files
    made: Callable[[str], bool]
    is_ours: Callable[[str], bool]
    outputs_of: Callable[[str], Sequence[str]]
    environment: Mapping[str, str]
    overrides: Mapping[str, str] = {}
    text: str = ""
    trees: str = ""
    version: str = ""
    environment_wins: bool = False
    include_folders: Sequence[str] = ()
    unwatched: Callable[[], AbstractContextManager[None]] = nullcontext
    phase: Callable[[str], AbstractContextManager[object]] = nullcontext
    program: Program | None = None
    makefiles: Makefiles | None = None
    texts: Mapping[str, str] = {}
    evaluator: Evaluator | None = None
    parse: Callable[[Source], tuple[syntax.Tree, list[Diagnostic]]] | None = None
    matching: bool = True
    memory: Memory | None = None


class Loaded(NamedTuple):
    """A Pipefile as jobs, what is wrong with it, and what loading looked at: `trees` are those of
    the files that were read. `globs` is what expressions found before any job was known."""

    pipeline: Pipeline
    world: Instantiation
    diagnostics: list[Diagnostic]
    trees: list[syntax.Tree]
    load_time: LoadTime
    globs: Mapping[str, Sequence[str]]

    @property
    def sources(self) -> list[Source]:
        """The texts that were read, in the order of their reading."""
        return [tree.source for tree in self.trees]


def load(request: Request) -> Loaded:
    """Loads a Pipefile. Mistakes are in `diagnostics`; raises BuildError only if there is no
    Pipefile that could be read."""
    trees: dict[str, tuple[syntax.Tree, list[Diagnostic]]] = {}
    read_tree = _reader(request, trees)
    guests: dict[tuple[str, ...], MakeGuest] = {}
    planned: frozenset[str] = frozenset()
    for _ in range(_MOST_ROUNDS):
        loaded = _round(request, read_tree, planned, guests)
        loaded.trees.extend(tree for tree, _ in trees.values())
        seen_too_little = _missed(loaded)
        if not seen_too_little:
            return loaded
        planned = planned | seen_too_little
    loaded.diagnostics.append(
        Diagnostic("PB224", "what `glob(...)` finds changes what is made, and so on without end")
    )
    return loaded


def _reader(
    request: Request, trees: dict[str, tuple[syntax.Tree, list[Diagnostic]]] | None = None
) -> Callable[[str], tuple[syntax.Tree, list[Diagnostic]]]:
    """A function from paths to trees, which reads each file once and keeps it in `trees`."""
    known = {} if trees is None else trees

    def read_tree(path: str) -> tuple[syntax.Tree, list[Diagnostic]]:
        if path not in known:
            with request.phase("parse"):
                name = normalise(path)
                text = request.texts.get(name)
                known[path] = _tree(Source(name, _read(path) if text is None else text), request)
        return known[path]

    return read_tree


def _round(
    request: Request,
    read_tree: Callable[[str], tuple[syntax.Tree, list[Diagnostic]]],
    planned: frozenset[str],
    guests: dict[tuple[str, ...], MakeGuest],
) -> Loaded:
    """One reading of the file; `planned` are files to be made that globs in expressions see.
    Makefiles are read once and kept in `guests`."""
    from pybuild.pipefile.instantiate import Instantiation
    from pybuild.pipefile.universe import Universe

    universe = Universe(request.files, request.made, request.is_ours, request.outputs_of)
    load_time = _load_time(request, lambda text: _find(request, text, planned))
    pipeline, prints, diagnostics = _resolve(request, read_tree, load_time)
    guest = None
    try:
        guest = _guest(request, pipeline, guests)
    except BuildError as error:
        diagnostics += error.diagnostics
    world = Instantiation(pipeline, universe, prints, guest)
    globs = dict(load_time.globs)
    load_time.find = lambda text: universe.matches(_pattern(text))
    errors = [each for each in diagnostics if each.severity == "error"]
    if request.matching and (not errors or (pipeline.missing and only_names(errors))):
        with request.phase("instantiate"):
            world.flow()
        diagnostics += world.diagnostics
        world.diagnostics = []
        cycle = world.cycle()
        if cycle is not None:
            diagnostics.append(cycle)
    return Loaded(pipeline, world, diagnostics, [], load_time, globs)


MakeGuest = Callable[[Callable[[str], bool]], Guest]


def _guest(
    request: Request, pipeline: Pipeline, known: dict[tuple[str, ...], MakeGuest]
) -> Guest | None:
    """The rules of the makefiles that are included. Raises BuildError."""
    names = tuple(pipeline.makefiles)
    if not names or request.makefiles is None:
        return None
    if names not in known:
        with request.phase("read makefiles"):
            known[names] = request.makefiles.read(names, pipeline.makefiles[names[0]])
    guest = known[names](request.made)
    pipeline.included += guest.included()
    pipeline.missing += guest.missing()
    pipeline.pools.update(guest.pools())
    return guest


def _load_time(request: Request, find: Callable[[str], list[str]]) -> LoadTime:
    return LoadTime(
        dict(request.environment),
        find,
        lambda text: _on_disk(request.files, text),
        request.unwatched,
    )


def _resolve(
    request: Request,
    read_tree: Callable[[str], tuple[syntax.Tree, list[Diagnostic]]],
    load_time: LoadTime,
) -> tuple[Pipeline, Fingerprints, list[Diagnostic]]:
    """The rules of the file, and what is wrong with them."""
    prints = Fingerprints(os.getcwd())
    resolver = Resolver(
        load_time,
        prints,
        read_tree,
        request.overrides,
        request.environment_wins,
        request.include_folders,
        request.makefiles.is_makefile if request.makefiles else lambda _: False,
        request.evaluator,
        request.matching,
        request.memory,
    )
    diagnostics: list[Diagnostic] = []
    if request.text:
        tree, found = _tree(Source("--eval", request.text + "\n"), request)
        diagnostics += found
        resolver.read(tree)
    if request.program is not None:
        tree = resolver.take(request.program.read())
    elif resolver.is_makefile(request.path):
        tree = syntax.Tree(Source(request.path, ""), (), {})
        resolver.out.makefiles[request.path] = Span(tree.source, 0, 0)
    else:
        tree, found = read_tree(request.path)
        diagnostics += found
    for name, value in request.overrides.items():
        resolver.override(name, value)
    with request.phase("resolve"):
        resolver.read(tree)
        pipeline = resolver.finish()
    return pipeline, prints, diagnostics + pipeline.diagnostics


def rules_of(
    request: Request, globs: Mapping[str, Sequence[str]], commands: Mapping[str, str]
) -> tuple[Pipeline, Fingerprints] | None:
    """The rules alone, of a file that was loaded before and has not changed: what its globs found
    and its commands printed then is known. None if something is wrong with it."""

    def find(text: str) -> list[str]:
        return list(globs[text]) if text in globs else load_time.find_now(text)

    load_time = _load_time(request, find)
    load_time.commands.update(commands)
    pipeline, prints, diagnostics = _resolve(request, _reader(request), load_time)
    return None if diagnostics else (pipeline, prints)


def only_names(errors: Sequence[Diagnostic]) -> bool:
    """Whether all that is wrong is names without a meaning, which an included file that has to be
    made first may yet give them."""
    return all(each.code in ("PB201", "PB204", "PB215") for each in errors)


def _pattern(text: str) -> Pattern:
    return Pattern(glob_pieces(normalise(text)))


def _on_disk(files: Files, text: str) -> list[str]:
    """What a glob finds, whoever has made it."""
    from pybuild.pipefile.universe import Universe

    def never(_: str) -> bool:
        return False

    return Universe(files, never, never).matches(_pattern(text))


def _find(request: Request, text: str, planned: frozenset[str]) -> list[str]:
    """What a glob in an expression finds: files on disk, but for what builds made, and planned."""
    from pybuild.pipefile.universe import Universe

    universe = Universe(request.files, request.made, lambda _: True)
    for name in planned:
        universe.plan(name)
    return universe.matches(_pattern(text))


def _missed(loaded: Loaded) -> frozenset[str]:
    """Planned files that a glob in an expression would have found, had they been known."""
    missed: set[str] = set()
    for text, found in loaded.globs.items():
        pattern = _pattern(text)
        known = frozenset(found)
        missed.update(
            name
            for name in loaded.world.graph.producer
            if name not in known and pattern.match(name) is not None
        )
    return frozenset(missed)


def _read(path: str) -> str:
    try:
        with noted(), open(path, "rb") as handle:
            data = handle.read()
    except OSError as error:
        raise BuildError(Diagnostic("PB404", f"cannot read `{path}`: {error.strerror}")) from None
    return decoded(data, path)


def decoded(data: bytes, path: str) -> str:
    """The text of a Pipefile, its lines ending in line feeds. Raises BuildError for what is no text
    in UTF-8."""
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        source = Source(normalise(path), data.decode("utf-8", "replace"))
        offset = len(data[: error.start].decode("utf-8", "replace"))
        line, _ = source.place(offset)
        raise BuildError(
            Diagnostic(
                "PB111",
                f"`{path}` is not UTF-8: byte 0x{data[error.start]:02x}",
                Span(source, offset, min(offset + 1, len(source.text))),
                (Note(f"in line {line}"),),
                "save the file as UTF-8",
            )
        ) from None
    text = text.replace("\r\n", "\n")
    null = text.find("\0")
    if null >= 0:
        place = Span(Source(normalise(path), text), null, null + 1)
        raise BuildError(Diagnostic("PB111", f"`{path}` holds a null character", place))
    if text.count("\r") > text.count("\n"):
        # Some returns may be meant, inside a recipe; so many are the ends of lines.
        place = Span(Source(normalise(path), text), text.index("\r"), text.index("\r") + 1)
        raise BuildError(
            Diagnostic(
                "PB111",
                f"the lines of `{path}` end in a carriage return alone",
                place,
                help="save the file with the ends of lines of Unix",
            )
        )
    return text


def _tree(source: Source, request: Request) -> tuple[syntax.Tree, list[Diagnostic]]:
    """The tree of a text, from the kept ones if it is among them."""
    if request.parse is not None:
        return request.parse(source)
    kept = _kept_path(source, request)
    if kept:
        tree = _load_kept(kept, source)
        if tree is not None:
            return tree, []
    from pybuild.pipefile.parse import parse

    tree, diagnostics = parse(source)
    if kept and not diagnostics:
        _keep(tree, kept)
    return tree, diagnostics


def _kept_path(source: Source, request: Request) -> str:
    if not request.trees:
        return ""
    key = digest_of(
        f"{_FORM}\0{request.version}\0{source.name}\0{source.text}".encode("utf-8", "replace")
    )
    return os.path.join(request.trees, key.hex())


def _load_kept(path: str, source: Source) -> syntax.Tree | None:
    # Without the half of `pickle` that is written in Python.
    from _pickle import loads

    from pybuild.pipefile.parse import remember

    try:
        with open(path, "rb") as handle:
            data = handle.read()
    except OSError:
        return None
    check, payload = data[:16], data[16:]
    if digest_of(payload) != check:
        return None
    try:
        tree = loads(payload)
    except Exception:  # a kept tree that can't be read is as good as none
        return None
    if not isinstance(tree, syntax.Tree) or tree.source.text != source.text:
        return None
    remember(tree)
    return tree


def _keep(tree: syntax.Tree, path: str) -> None:
    import pickle

    payload = pickle.dumps(tree, 5)
    folder = os.path.dirname(path)
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(folder, exist_ok=True)
        _drop_old(folder)
        with open(temporary, "wb") as handle:
            handle.write(digest_of(payload) + payload)
        os.replace(temporary, path)
    except OSError:
        # A project that cannot be written to is parsed each time.
        try:
            os.unlink(temporary)
        except OSError:
            pass


def _drop_old(folder: str) -> None:
    """Keeps the folder small: trees of texts long gone are of no use."""
    names = os.listdir(folder)
    if len(names) > 50:
        for name in names:
            os.unlink(os.path.join(folder, name))
