"""What is known of one project at one moment: texts (unsaved ones before those on disk), trees,
names, rules and what is wrong with them.

Nothing of the user's is run, and no file is held against a rule: that is `plan`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

from pybuild.files import Disk, FilesWrapper
from pybuild.lint.check import check_text
from pybuild.lint.scans import Scans
from pybuild.lsp.names import Names, Sheet
from pybuild.lsp.positions import UTF16
from pybuild.pipefile.evaluation import NotRun
from pybuild.pipefile.guest import Guest
from pybuild.pipefile.literal import Literal
from pybuild.pipefile.load import Loaded, Request, load
from pybuild.pipefile.parse import Forms
from pybuild.pipefile.recollection import Recollection
from pybuild.pipefile.sections import Sections
from pybuild.pipefile.syntax import Tree
from pybuild.source import BuildError, Diagnostic, Source, Span
from pybuild.typed import NamedTuple

_MOST_FORMS = 10_000  # lines that are kept parsed
_MOST_TREES = 200  # files whose last text is kept parsed

IsMakefile = Callable[[str], bool]
Parsed = tuple[Tree, list[Diagnostic]]


class Place(NamedTuple):
    """Where a project is: its folder (absolute) and the name of its Pipefile in it."""

    folder: str
    root: str

    def path(self, name: str) -> str:
        """The absolute path of one of its files."""
        return os.path.normpath(os.path.join(self.folder, name))

    def name(self, path: str) -> str:
        """The name by which its rules know an absolute path."""
        return os.path.relpath(path, self.folder)


class Parser:
    """Parses the texts of a project, and keeps what it has parsed: after a keystroke nearly all
    comes again."""

    def __init__(self) -> None:
        self._forms: Forms = {}
        self._sections: dict[str, Sections] = {}
        self._trees: dict[str, tuple[str, Parsed]] = {}

    def parse(self, source: Source) -> Parsed:
        """The tree of a text and what is wrong with its form. Trees of the text as it was before
        are over then."""
        text, found = self._trees.get(source.name, ("", None))
        if found is None or text != source.text:
            if len(self._forms) > _MOST_FORMS:
                self._forms.clear()
            if source.name not in self._sections and len(self._sections) >= _MOST_TREES:
                gone = next(iter(self._sections))
                del self._sections[gone], self._trees[gone]
            sections = self._sections.setdefault(source.name, Sections(self._forms))
            found = sections.parse(source)
            self._trees[source.name] = source.text, found
        return found


class Kept(NamedTuple):
    """What is kept of one project from one reading to the next."""

    files: Remembered
    parser: Parser
    memory: Recollection
    scans: Scans


class Unread:
    """Makefiles in an editor: known by their names, and not read, as that may start commands."""

    def __init__(self, is_makefile: IsMakefile) -> None:
        self.is_makefile = is_makefile

    def read(self, names: object, span: Span | None) -> Callable[[Callable[[str], bool]], Guest]:
        """Raises NotRun."""
        del names, span
        raise NotRun


class Remembered(FilesWrapper):
    """Files whose folders are listed once: a `glob` in an expression is asked again with each
    keystroke."""

    def __init__(self) -> None:
        super().__init__(Disk())
        self._listings: dict[str, tuple[list[str], list[str]]] = {}

    def forget(self) -> None:
        """Folders are listed anew when they are asked for."""
        self._listings.clear()

    def listing(self, folder: str) -> tuple[list[str], list[str]]:
        """As it was when it was first asked for."""
        if folder not in self._listings:
            self._listings[folder] = self.inner.listing(folder)
        return self._listings[folder]


class Reader:
    """How the projects of an editor are read; keeps what it has parsed and evaluated."""

    def __init__(self, is_makefile: IsMakefile, encoding: str = UTF16) -> None:
        self.is_makefile = is_makefile
        self.encoding = encoding
        self.takes_snippets = False  # whether the editor does
        self.evaluator = Literal()
        self._kept: dict[Place, Kept] = {}

    def look_again(self) -> None:
        """Folders are listed anew when they are asked for."""
        for each in self._kept.values():
            each.files.forget()

    def let_go(self, place: Place) -> None:
        """A project is not edited any more."""
        self._kept.pop(place, None)

    def kept(self, place: Place) -> Kept:
        """What is kept of a project."""
        if place not in self._kept:
            self._kept[place] = Kept(Remembered(), Parser(), Recollection(), Scans())
        return self._kept[place]

    def read(self, place: Place, texts: Mapping[str, str]) -> Analysis:
        """Reads a project, with the texts of open files (by their names) in place of the disk."""
        kept = self.kept(place)
        request = Request(
            place.root,
            kept.files,
            _no,
            _no,
            _nothing,
            dict(os.environ),
            makefiles=Unread(self.is_makefile),
            texts=texts,
            evaluator=self.evaluator,
            parse=kept.parser.parse,
            matching=False,
            memory=kept.memory,
        )
        try:
            with inside(place.folder):
                loaded = load(request)
        except BuildError as error:  # there is no such file, or it is no text
            return Analysis(place, texts, None, list(error.diagnostics), self)
        except OSError as error:  # there is no such folder
            message = f"cannot go to `{place.folder}`: {error.strerror}"
            return Analysis(place, texts, None, [Diagnostic("PB404", message)], self)
        warnings = check_text(loaded, kept.scans)
        return Analysis(place, texts, loaded, [*loaded.diagnostics, *warnings], self)

    def sheet(self, place: Place, name: str, text: str) -> Sheet:
        """One file of a project, as far as its text alone tells."""
        tree, _ = self.kept(place).parser.parse(Source(name, text))
        return Sheet(tree, self.encoding)


class Analysis:
    """A project as it was read. `diagnostics` are the mistakes of its texts and names."""

    def __init__(
        self,
        place: Place,
        texts: Mapping[str, str],
        loaded: Loaded | None,
        diagnostics: list[Diagnostic],
        reader: Reader,
    ) -> None:
        self.place = place
        self.texts = texts
        self.loaded = loaded
        self.diagnostics = diagnostics
        self.reader = reader

    def with_text(self, name: str, text: str) -> Analysis:
        """The same with one file as it is now: its names are known, what they come to is as it
        was."""
        draft = Analysis(self.place, self.texts, self.loaded, self.diagnostics, self.reader)
        draft.sheets = {**self.sheets, name: self.reader.sheet(self.place, name, text)}
        return draft

    @cached_property
    def sheets(self) -> dict[str, Sheet]:
        """The files that were read, by their names."""
        trees = self.loaded.trees if self.loaded else []
        return {tree.source.name: Sheet(tree, self.reader.encoding) for tree in trees}

    @cached_property
    def names(self) -> Names:
        """What the names of the project mean."""
        return Names(list(self.sheets.values()))


@contextmanager
def inside(folder: str) -> Iterator[None]:
    """In this folder: names of a project are relative to it. Raises OSError if it is not there."""
    try:
        before = os.getcwd()
    except OSError:  # it is gone: any other will do
        before = "/"
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _no(_: str) -> bool:
    return False


def _nothing(_: str) -> tuple[str, ...]:
    return ()
