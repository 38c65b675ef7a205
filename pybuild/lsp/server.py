"""The language server: connects requests with the modules that answer them, and decides when what
is read anew. All else is in those modules."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from pybuild import __version__
from pybuild.lsp import completion, hover, outline, references
from pybuild.lsp.analysis import IsMakefile, Reader
from pybuild.lsp.asking import NoAnswer, ask
from pybuild.lsp.buffers import Buffers, path_of, uri_of
from pybuild.lsp.diagnostics import by_file
from pybuild.lsp.plan import plan_of
from pybuild.lsp.projects import EditedProject, Here, Projects

_QUIET_S = 0.01  # after a keystroke: a completion that follows it goes first
_IDLE_S = 0.3  # before files are held against rules

log = logging.getLogger(__name__)


class Placed(Protocol):
    """A request about a place in a text."""

    @property
    def text_document(self) -> types.TextDocumentIdentifier: ...

    @property
    def position(self) -> types.Position: ...


class Server(LanguageServer):
    """One server, for one editor."""

    def __init__(self, is_makefile: IsMakefile) -> None:
        super().__init__(
            "pybuild", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Incremental
        )
        self.is_makefile = is_makefile
        self.buffers = Buffers()
        self.reader = Reader(is_makefile)
        self.projects = Projects(self.buffers, self.reader)
        self.pulls = False  # whether the editor asks for diagnostics, and can be told to
        self._told: set[str] = set()  # files with diagnostics that were pushed
        self._timer: asyncio.TimerHandle | None = None
        self._planning: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """The editor has said what it can do."""
        encoding = self.workspace.position_encoding
        self.buffers.encoding = self.reader.encoding = str(getattr(encoding, "value", encoding))
        can = self.client_capabilities
        pulls = can.text_document and can.text_document.diagnostic
        refreshes = can.workspace and can.workspace.diagnostics
        self.pulls = bool(pulls and refreshes and refreshes.refresh_support)
        completion = can.text_document and can.text_document.completion
        item = completion and completion.completion_item
        self.reader.takes_snippets = bool(item and item.snippet_support)
        gc.collect()
        gc.freeze()  # what the imports made stays

    def here(self, uri: str) -> Here | None:
        """The file of a request; None if it is no Pipefile that could be read."""
        buffer = self.buffers.get(uri)
        path = buffer.path if buffer else path_of(uri)
        if not path or self.is_makefile(path):
            return None
        return self.projects.here(path)

    def at(self, params: Placed) -> tuple[Here, int] | None:
        """The file of a request, and the character in it."""
        here = self.here(params.text_document.uri)
        return here and (here, here.sheet.lines.offset(params.position))

    # -- reading anew ------------------------------------------------------------------------

    def changed(self) -> None:
        """A text has changed: it is read when the editor has asked what it wanted to ask."""
        self.projects.forget()
        if self._timer is not None:
            self._timer.cancel()
        if self._planning is not None:
            self._planning.cancel()
            self._planning = None
        self._timer = asyncio.get_running_loop().call_later(_QUIET_S, self._look)

    def _look(self) -> None:
        self._timer = None
        for project in self._open_projects():
            self._guarded(self._tell, project)
        self._planning = asyncio.get_running_loop().create_task(self._plan())

    def _open_projects(self) -> list[EditedProject]:
        found = {}
        for buffer in self.buffers:
            if buffer.path and not self.is_makefile(buffer.path):
                project = self._guarded(self.projects.of, buffer.path)
                if project is not None:
                    found[project.place] = project
        return list(found.values())

    async def _plan(self) -> None:
        """When nobody types, files are held against rules."""
        await asyncio.sleep(_IDLE_S)
        for project in self._open_projects():
            analysis = project.analysis()
            try:
                plan = await ask(partial(plan_of, project.place, analysis.texts, self.reader))
            except NoAnswer as error:
                log.warning("no plan of %s: %s", project.place.folder, error)
                continue
            project.take(plan, analysis)
            self._guarded(self._tell, project)
        self._refresh()

    def _refresh(self) -> None:
        """Has the editor ask again for what a plan may have changed."""
        workspace = self.client_capabilities.workspace
        if workspace is None:
            return
        if self.pulls:
            self.workspace_diagnostic_refresh(None)
        if workspace.inlay_hint and workspace.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)
        if workspace.code_lens and workspace.code_lens.refresh_support:
            self.workspace_code_lens_refresh(None)

    def _tell(self, project: EditedProject) -> None:
        """Pushes what is wrong to an editor that does not ask."""
        if self.pulls:
            return
        analysis = project.analysis()
        for name, found in by_file(project.diagnostics(), analysis).items():
            uri = uri_of(project.place.path(name))
            buffer = self.buffers.get(uri)
            if not found and buffer is None and uri not in self._told:
                continue
            self._told.add(uri)
            version = buffer.version if buffer else None
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri, found, version)
            )

    def withdraw(self, uri: str) -> None:
        """A file was closed: nothing is said of it any more."""
        if uri in self._told:
            self._told.discard(uri)
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def _guarded(self, deed: Callable[..., Any], *arguments: Any) -> Any:
        """What nobody waits for an answer to must not end the server."""
        try:
            return deed(*arguments)
        except Exception:
            log.exception("%s failed", deed.__name__)
            return None


def make_server(is_makefile: IsMakefile) -> Server:
    """A server with all its features."""
    server = Server(is_makefile)
    _add_texts(server)
    _add_names(server)
    return server


def _add_texts(server: Server) -> None:
    """What the editor tells of its texts, and what is wrong with them."""

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        server.begin()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.buffers.open(params.text_document)
        server.changed()

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        buffer = server.buffers.get(params.text_document.uri)
        if buffer is not None:
            buffer.change(params.content_changes, params.text_document.version)
            server.changed()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(_: types.DidSaveTextDocumentParams) -> None:
        server.changed()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def moved(_: types.DidChangeWatchedFilesParams) -> None:
        server.changed()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.buffers.close(uri)
        server.projects.drop(path_of(uri))
        server.withdraw(uri)
        server.changed()

    @server.feature(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False),
    )
    def pulled(params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        here = server.here(params.text_document.uri) if server.pulls else None
        if here is None:
            return types.RelatedFullDocumentDiagnosticReport([])
        found = by_file(here.project.diagnostics(), here.analysis)
        return types.RelatedFullDocumentDiagnosticReport(found.get(here.sheet.name, []))


def _add_names(server: Server) -> None:
    """What names mean, and what may stand at a place."""

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=list(completion.TRIGGERS)),
    )
    def completed(params: types.CompletionParams) -> types.CompletionList | None:
        at = server.at(params)
        return at and completion.complete(*at)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hovered(params: types.HoverParams) -> types.Hover | None:
        at = server.at(params)
        return await hover.hover(*at) if at else None

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def defined(params: types.DefinitionParams) -> list[types.Location]:
        at = server.at(params)
        return references.definition(*at) if at else []

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def referred(params: types.ReferenceParams) -> list[types.Location]:
        at = server.at(params)
        if at is None:
            return []
        return references.references(*at, with_definition=params.context.include_declaration)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlighted(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        at = server.at(params)
        return references.highlights(*at) if at else []

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepared(params: types.PrepareRenameParams) -> types.Range | None:
        at = server.at(params)
        with _refusing():
            return references.renamable(*at) if at else None

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def renamed(params: types.RenameParams) -> types.WorkspaceEdit | None:
        at = server.at(params)
        with _refusing():
            return references.rename(*at, params.new_name) if at else None

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        here = server.here(params.text_document.uri)
        return outline.document_symbols(here.sheet) if here else []

    @server.feature(types.WORKSPACE_SYMBOL)
    def all_symbols(params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
        return outline.workspace_symbols(server.projects, params.query)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK)
    def links(params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        here = server.here(params.text_document.uri)
        return outline.links(here) if here else []

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    def folds(params: types.FoldingRangeParams) -> list[types.FoldingRange]:
        here = server.here(params.text_document.uri)
        return outline.folds(here.sheet) if here else []

    @server.feature(types.TEXT_DOCUMENT_SELECTION_RANGE)
    def selected(params: types.SelectionRangeParams) -> list[types.SelectionRange]:
        here = server.here(params.text_document.uri)
        if here is None:
            return []
        offsets = [here.sheet.lines.offset(each) for each in params.positions]
        return [outline.selection(here, offset) for offset in offsets]


@contextmanager
def _refusing() -> Iterator[None]:
    """What cannot be renamed is a request that has failed, with the reason for the user."""
    try:
        yield
    except references.CannotRename as error:
        raise JsonRpcInvalidParams(str(error)) from None


def serve(is_makefile: IsMakefile) -> None:
    """Serves an editor over standard input and output, until it says that it is over. What is
    printed meanwhile goes to standard error."""
    gc.enable()
    with open(os.dup(0), "rb") as incoming, open(os.dup(1), "wb") as outgoing:
        os.dup2(2, 1)
        make_server(is_makefile).start_io(incoming, outgoing)
