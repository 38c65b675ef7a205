"""Who answers about the Python in a Pipefile: `ty` where it is installed, else, and where it has no
answer, jedi (`python`).

Both get the sheet as a Python module (`embedded`): the places that they tell of are brought back
here, and what they say of lines that are not the user's is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from lsprotocol import types

from pybuild.lsp.asking import NoAnswer
from pybuild.lsp.buffers import path_of
from pybuild.lsp.embedded import Module, is_python
from pybuild.lsp.projects import Here, PythonComplaint
from pybuild.lsp.python import MOST_ITEMS, PythonPlace, location, module_at
from pybuild.lsp.settings import TY, Settings
from pybuild.pipefile import syntax
from pybuild.pipefile.ruff import find_tool
from pybuild.source import Span
from pybuild.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pygls.lsp.client import LanguageClient

    from pybuild.lsp.ty import Ty

T = TypeVar("T")

_SOURCE = "ty"
_TOLD = (types.DiagnosticSeverity.Error, types.DiagnosticSeverity.Warning)
_SYNTAX = (
    "invalid-syntax"  # pybuild tells that itself, and for a recipe there is more that is right
)
_UNKNOWN = "Unknown"
_NO_NAME = "unresolved-reference"
_STAR = "import *"  # in a recipe it is as good as in a module; what it defines is not known


class Delegation:
    """Asks about Python for one server."""

    def __init__(self) -> None:
        self.settings = Settings()
        self._ty: Ty | None = None

    async def complete(self, place: PythonPlace) -> list[types.CompletionItem]:
        """What may stand at a place. Inside of a name ty has no answer."""
        if place.is_in_name:
            return await asyncio.to_thread(place.complete)
        try:
            found = await self._asked(
                place,
                lambda client, at: client.text_document_completion(types.CompletionParams(**at)),
            )
        except NoAnswer:
            return await asyncio.to_thread(place.complete)
        items = found.items if isinstance(found, types.CompletionList) else found or ()
        return _items(items)

    async def hover(self, place: PythonPlace) -> types.Hover | None:
        """What is known of the name at a place."""
        try:
            found = await self._asked(
                place, lambda client, at: client.text_document_hover(types.HoverParams(**at))
            )
        except NoAnswer:
            return await asyncio.to_thread(place.hover)
        if found is None or _says_nothing(found):
            return None
        return types.Hover(found.contents)

    async def definition(self, place: PythonPlace) -> list[types.Location]:
        """Where the name at a place is defined. Where types stand beside the code that is run, the
        code is what is looked for, and jedi finds it."""
        try:
            found = await self._asked(
                place,
                lambda client, at: client.text_document_definition(types.DefinitionParams(**at)),
            )
        except NoAnswer:
            return await asyncio.to_thread(place.definition)
        told = [found] if isinstance(found, types.Location) else found or ()
        places = [each for each in told if isinstance(each, types.Location)]
        if any(each.uri.endswith(".pyi") for each in places):
            return await asyncio.to_thread(place.definition)
        return [here for each in places if (here := _located(place, each)) is not None]

    async def signatures(self, place: PythonPlace) -> types.SignatureHelp | None:
        """The parameters of the call that is being written at a place."""
        try:
            found = await self._asked(
                place,
                lambda client, at: client.text_document_signature_help(
                    types.SignatureHelpParams(**at)
                ),
            )
        except NoAnswer:
            return await asyncio.to_thread(place.signatures)
        for each in found.signatures if found else ():
            if each.label.startswith("("):  # as ty has it
                each.label = place.called + each.label
        return found

    async def complaints(self, here: Here) -> list[PythonComplaint]:
        """What is wrong with the Python of a sheet, as far as types tell; none without ty."""
        module = module_at(here)
        if not module.has_blocks or not self.settings.python_diagnostics:
            return []
        try:
            ty, client = await self._told(here, module)
            from pybuild.lsp.ty import CHECK_S

            document = types.TextDocumentIdentifier(here.uri(here.sheet))
            asked = client.text_document_diagnostic(types.DocumentDiagnosticParams(document))
            found = await ty.answer(asked, CHECK_S)
        except NoAnswer:
            return []
        if not isinstance(found, types.RelatedFullDocumentDiagnosticReport):
            return []
        return list(_complaints(here, module, found.items))

    def close(self, uri: str) -> None:
        """A text is not edited any more."""
        if self._ty is not None:
            self._ty.close(uri)

    async def end(self) -> None:
        """Ends whoever was started to answer."""
        if self._ty is not None:
            await self._ty.end()

    async def _asked(
        self,
        place: PythonPlace,
        question: Callable[[LanguageClient, dict[str, Any]], Future[T]],
    ) -> T:
        """What ty answers about a place. Raises NoAnswer."""
        ty, client = await self._told(place.here, place.module)
        at = {
            "text_document": types.TextDocumentIdentifier(place.here.uri(place.here.sheet)),
            "position": types.Position(place.line, place.column),
        }
        return await ty.answer(question(client, at))

    async def _told(self, here: Here, module: Module) -> tuple[Ty, LanguageClient]:
        """Ty, and its client when it has been told of a module. Raises NoAnswer."""
        if self.settings.python_server != TY:
            raise NoAnswer("it is not to be asked")
        from pybuild.lsp.ty import Document, Ty

        if self._ty is None:
            program = find_tool("ty")
            if not program:
                raise NoAnswer("it is not installed")
            self._ty = Ty(program)
        uri = here.uri(here.sheet)
        folder = here.project.place.folder
        return self._ty, await self._ty.client_for(Document(uri, module.text, folder))


def _says_nothing(found: types.Hover) -> bool:
    """Whether no more is known than that nothing is known."""
    contents = found.contents
    return isinstance(contents, types.MarkupContent) and _UNKNOWN in contents.value.split("\n")[:2]


def _items(found: Iterable[types.CompletionItem]) -> list[types.CompletionItem]:
    """Items that can be put into a sheet, where there is no place for an import besides."""
    fit = [each for each in found if not each.additional_text_edits]
    return [
        types.CompletionItem(
            label=each.label,
            kind=each.kind,
            detail=each.detail,
            documentation=each.documentation,
            sort_text=f"{1 + each.label.startswith('_')}{each.sort_text or each.label}",
        )
        for each in fit[:MOST_ITEMS]
    ]


def _located(place: PythonPlace, found: types.Location) -> types.Location | None:
    """A place that ty tells of, as the editor counts; None for one that is not the user's."""
    start, end = found.range.start, found.range.end
    if end.line != start.line:
        end = start
    sheet = place.here.sheet
    path = path_of(found.uri)
    if path == place.here.project.place.path(sheet.name):
        line = start.line - place.module.shift
        if line < 0:
            return None
        begin = sheet.lines.line_start(line)
        where = sheet.lines.range(begin + start.character, begin + end.character)
        return types.Location(place.here.uri(sheet), where)
    return location(path, start.line, start.character, end.character, sheet.encoding)


def _complaints(
    here: Here, module: Module, found: Iterable[types.Diagnostic]
) -> Iterator[PythonComplaint]:
    """Those that are of the user's own Python, and that hold whatever the rest of the project
    comes to."""
    sheet = here.sheet
    loaded = here.analysis.loaded
    is_open = loaded is None or loaded.pipeline.is_open or _STAR in sheet.text
    for each in found:
        code = str(each.code or "")
        if each.severity not in _TOLD or code == _SYNTAX or (code == _NO_NAME and is_open):
            continue
        start, end = each.range.start, each.range.end
        first, last = start.line - module.shift, end.line - module.shift
        if first < 0 or not is_python(sheet, module, first) or not is_python(sheet, module, last):
            continue
        if isinstance(sheet.statement_at(sheet.lines.line_start(first)), syntax.Assignment):
            continue  # `+=` is not quite that of Python, and names are looked at by pybuild
        span = Span(
            sheet.tree.source,
            sheet.lines.line_start(first) + start.character,
            sheet.lines.line_start(last) + end.character,
        )
        href = each.code_description.href if each.code_description else ""
        message = str(each.message).partition("\n\n")[0]
        yield PythonComplaint(span, message, code, href, _SOURCE)
