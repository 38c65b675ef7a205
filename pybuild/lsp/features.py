"""The requests of the protocol, each answered by the module that knows how. Nothing is decided
here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from pybuild.lsp import (
    actions,
    calls,
    completion,
    formatting,
    hints,
    hover,
    makefiles,
    outline,
    references,
    tokens,
)
from pybuild.lsp.analysis import IsMakefile
from pybuild.lsp.buffers import path_of
from pybuild.lsp.commands import ALL, perform, title_of
from pybuild.lsp.diagnostics import of_project
from pybuild.lsp.python import MOST_ITEMS, python_at
from pybuild.lsp.server import Server
from pybuild.lsp.settings import settings_of
from pybuild.typed import Any


def make_server(is_makefile: IsMakefile) -> Server:
    """A server with all its features."""
    server = Server(is_makefile)
    _add_texts(server)
    _add_names(server)
    _add_outline(server)
    _add_shown(server)
    _add_edits(server)
    _add_calls(server)
    _add_commands(server)
    return server


def _add_texts(server: Server) -> None:
    """What the editor tells of its texts, and what is wrong with them."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.use(settings_of(params.initialization_options))

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        server.begin()
        server.watch_files()

    @server.feature(types.SHUTDOWN)
    async def ended(_: None) -> None:
        await server.end()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configured(params: types.DidChangeConfigurationParams) -> None:
        server.use(settings_of(params.settings))
        server.changed()
        server.refresh()

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
        server.reader.look_again()
        server.changed()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def moved(_: types.DidChangeWatchedFilesParams) -> None:
        server.reader.look_again()
        server.changed()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.buffers.close(uri)
        server.python.close(uri)
        server.tokens.close(uri)
        server.projects.let_go()
        server.withdraw(uri)
        server.changed()

    @server.feature(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False),
    )
    async def pulled(params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        made = await server.makefile(params.text_document.uri) if server.pulls else None
        if made is not None:
            return types.RelatedFullDocumentDiagnosticReport(makefiles.diagnostics(*made))
        here = server.here(params.text_document.uri) if server.pulls else None
        if here is None:
            return types.RelatedFullDocumentDiagnosticReport([])
        found = of_project(here.project)
        return types.RelatedFullDocumentDiagnosticReport(found.get(here.sheet.name, []))


def _add_names(server: Server) -> None:
    """What names mean, and what may stand at a place."""

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=list(completion.TRIGGERS)),
    )
    async def completed(params: types.CompletionParams) -> types.CompletionList | None:
        made = await server.makefile(params.text_document.uri)
        if made is not None:
            items = makefiles.complete(*made, params.position)
            return types.CompletionList(is_incomplete=False, items=items)
        at = server.at(params, draft=True)
        if at is None:
            return None
        found = completion.complete(*at)
        place = python_at(*at) if completion.takes_python(*at) else None
        if place is not None:
            more = await server.python.complete(place)
            found.items = [*found.items, *more]
            found.is_incomplete |= len(more) >= MOST_ITEMS
        return found

    @server.feature(
        types.TEXT_DOCUMENT_SIGNATURE_HELP,
        types.SignatureHelpOptions(trigger_characters=["(", ","]),
    )
    async def signed(params: types.SignatureHelpParams) -> types.SignatureHelp | None:
        at = server.at(params, draft=True)
        place = python_at(*at) if at else None
        return await server.python.signatures(place) if place else None

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hovered(params: types.HoverParams) -> types.Hover | None:
        made = await server.makefile(params.text_document.uri)
        if made is not None:
            return makefiles.hover(*made, params.position)
        at = server.at(params)
        if at is None:
            return None
        place = python_at(*at) if hover.is_for_python(*at) else None
        told = await server.python.hover(place) if place else None
        return told or await hover.hover(*at)

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def defined(params: types.DefinitionParams) -> list[types.Location]:
        made = await server.makefile(params.text_document.uri)
        if made is not None:
            return makefiles.definition(*made, params.position)
        at = server.at(params)
        found = references.definition(*at) if at else []
        place = python_at(*at) if at and not found else None
        return await server.python.definition(place) if place else found

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


def _add_outline(server: Server) -> None:
    """The shape of a file."""

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        made = await server.makefile(params.text_document.uri)
        if made is not None:
            return makefiles.symbols(*made)
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


def _add_shown(server: Server) -> None:
    """What is shown in and above lines, and in which colours."""

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, tokens.LEGEND)
    def coloured(params: types.SemanticTokensParams) -> types.SemanticTokens:
        here = server.here(params.text_document.uri)
        found = tokens.tokens(here) if here else types.SemanticTokens([])
        return server.tokens.whole(params.text_document.uri, found)

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA, tokens.LEGEND)
    def recoloured(
        params: types.SemanticTokensDeltaParams,
    ) -> types.SemanticTokens | types.SemanticTokensDelta:
        uri = params.text_document.uri
        here = server.here(uri)
        found = tokens.tokens(here) if here else types.SemanticTokens([])
        return server.tokens.change(uri, params.previous_result_id, found)

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, tokens.LEGEND)
    def coloured_part(params: types.SemanticTokensRangeParams) -> types.SemanticTokens:
        here = server.here(params.text_document.uri)
        return tokens.tokens(here, params.range) if here else types.SemanticTokens([])

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def hinted(params: types.InlayHintParams) -> list[types.InlayHint]:
        here = server.here(params.text_document.uri)
        return hints.inlay_hints(here, params.range, server.settings) if here else []

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    def lenses(params: types.CodeLensParams) -> list[types.CodeLens]:
        here = server.here(params.text_document.uri) if server.settings.lenses else None
        return hints.lenses(here) if here else []


def _add_edits(server: Server) -> None:
    """What changes a text."""

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions([types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]),
    )
    def cured(params: types.CodeActionParams) -> list[types.CodeAction]:
        here = server.here(params.text_document.uri)
        return actions.actions(here, params.range, params.context.only) if here else []

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    async def formatted(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        here = server.here(params.text_document.uri)
        return await asyncio.to_thread(formatting.formatted, here.sheet) if here else []

    @server.feature(types.TEXT_DOCUMENT_RANGE_FORMATTING)
    async def formatted_part(params: types.DocumentRangeFormattingParams) -> list[types.TextEdit]:
        here = server.here(params.text_document.uri)
        if here is None:
            return []
        return await asyncio.to_thread(formatting.formatted, here.sheet, params.range)

    @server.feature(
        types.TEXT_DOCUMENT_ON_TYPE_FORMATTING, types.DocumentOnTypeFormattingOptions("\n")
    )
    def begun(params: types.DocumentOnTypeFormattingParams) -> list[types.TextEdit]:
        here = server.here(params.text_document.uri)
        return formatting.indented(here.sheet, params.position) if here else []


def _add_calls(server: Server) -> None:
    """Which rules need which."""

    @server.feature(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)
    def prepared(params: types.CallHierarchyPrepareParams) -> list[types.CallHierarchyItem]:
        at = server.at(params)
        return calls.prepared(*at) if at else []

    @server.feature(types.CALL_HIERARCHY_OUTGOING_CALLS)
    def needed(
        params: types.CallHierarchyOutgoingCallsParams,
    ) -> list[types.CallHierarchyOutgoingCall]:
        return list(calls.needed(server.projects.of(path_of(params.item.uri)), params.item))

    @server.feature(types.CALL_HIERARCHY_INCOMING_CALLS)
    def needing(
        params: types.CallHierarchyIncomingCallsParams,
    ) -> list[types.CallHierarchyIncomingCall]:
        return list(calls.needing(server.projects.of(path_of(params.item.uri)), params.item))


def _add_commands(server: Server) -> None:
    """What is run because the user says so. Arguments: the address of a file, a goal ("" for the
    default), and for a graph its format."""
    for command in ALL:
        _add_command(server, command)


def _add_command(server: Server, command: str) -> None:
    @server.command(command)
    async def performed(uri: str, *more: Any) -> dict[str, Any]:
        goal, drawing = (*map(str, more), "", "")[:2]
        if not path_of(uri):
            raise JsonRpcInvalidParams("the first argument is the address of a file")
        place = server.projects.of(path_of(uri)).place
        result = await server.watched(
            title_of(command, goal), partial(perform, command, place, goal, drawing)
        )
        server.changed()
        return result.as_data()


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
    with open(os.dup(0), "rb") as incoming, open(os.dup(1), "wb") as outgoing:
        os.dup2(2, 1)
        make_server(is_makefile).start_io(incoming, outgoing)
