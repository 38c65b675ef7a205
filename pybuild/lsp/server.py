"""The language server: what is open, and when what is read anew. `features` has the answers."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams, JsonRpcRequestCancelled
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from pybuild import __version__
from pybuild.lsp import makefiles
from pybuild.lsp.analysis import IsMakefile, Reader
from pybuild.lsp.asking import UNASKED, NoAnswer, ask
from pybuild.lsp.buffers import Buffer, Buffers, path_of
from pybuild.lsp.commands import Tell
from pybuild.lsp.delegation import Delegation
from pybuild.lsp.diagnostics import of_project
from pybuild.lsp.makefiles import Makefile, read_makefile
from pybuild.lsp.plan import plan_of
from pybuild.lsp.projects import EditedProject, Here, Projects
from pybuild.lsp.settings import Settings
from pybuild.lsp.tokens import Told

_QUIET_S = 0.01  # after a keystroke: a completion that follows it goes first
_MANY_UNSWEPT, _MOST_UNSWEPT = 30, 200  # changes, with and without a pause to look for rubbish in
_LONGEST_S = 10.0  # to read a makefile
_WATCHED = ("Pipefile", "*.pipe", "{GNUm,M,m}akefile", "*.mk")
_IDLE_S = 0.3  # before files are held against rules

T = TypeVar("T")

log = logging.getLogger(__name__)


class Placed(Protocol):
    """A request about a place in a text."""

    @property
    def text_document(self) -> types.TextDocumentIdentifier: ...

    @property
    def position(self) -> types.Position: ...


class _Protocol(LanguageServerProtocol):
    """As pygls has it, but for commands: there the task that performs one would go on when the
    request is cancelled."""

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]
        self, params: types.ExecuteCommandParams
    ) -> Any:
        command = self.fm.commands.get(params.command)
        if command is None or not params.arguments:
            raise JsonRpcInvalidParams(f"no command `{params.command}`, or no file for it")
        return await command(*params.arguments)


def _is_told_by_no_answer(record: logging.LogRecord) -> bool:
    """Whether a log has to have it: a request that is refused or cancelled has an answer that says
    so, and is no mistake in pybuild."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, JsonRpcInvalidParams | JsonRpcRequestCancelled)


class Server(LanguageServer):
    """One server, for one editor."""

    def __init__(self, is_makefile: IsMakefile) -> None:
        super().__init__(
            "pybuild",
            __version__,
            protocol_cls=_Protocol,
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
        )
        logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_told_by_no_answer)
        self.is_makefile = is_makefile
        self.buffers = Buffers()
        self.reader = Reader(is_makefile)
        self.projects = Projects(self.buffers, self.reader)
        self.settings = Settings()
        self.python = Delegation()
        self.tokens = Told()
        self.pulls = False  # whether the editor asks for diagnostics, and can be told to
        self._told: set[str] = set()  # files with diagnostics that were pushed
        self._timer: asyncio.TimerHandle | None = None
        self._planning: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._makefile: tuple[tuple[str, frozenset[tuple[str, str]]], Makefile] | None = None
        self._works: set[asyncio.Task[Any]] = set()  # what was asked for by commands, and runs
        self._unswept = 0
        self._swept = False
        self._tokens = itertools.count(1)

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
        gc.disable()  # looking for rubbish takes as long as reading: that waits until nobody types

    def watch_files(self) -> None:
        """Has the editor tell when build files change on disk, if it can."""
        workspace = self.client_capabilities.workspace
        watched = workspace and workspace.did_change_watched_files
        if not (watched and watched.dynamic_registration):
            return
        options = types.DidChangeWatchedFilesRegistrationOptions(
            [types.FileSystemWatcher(f"**/{name}") for name in _WATCHED]
        )
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        self.client_register_capability(
            types.RegistrationParams([types.Registration("pybuild-files", method, options)])
        )

    def here(self, uri: str, *, draft: bool = False) -> Here | None:
        """The file of a request, or a draft of it; None if it is no Pipefile that can be read."""
        buffer = self.buffers.get(uri)
        path = buffer.path if buffer else path_of(uri)
        if not path or self.is_makefile(path):
            return None
        return self.projects.here(path, draft=draft)

    def at(self, params: Placed, *, draft: bool = False) -> tuple[Here, int] | None:
        """The file of a request, or a draft of it, and the character in it."""
        here = self.here(params.text_document.uri, draft=draft)
        return here and (here, here.sheet.lines.offset(params.position))

    async def makefile(self, uri: str) -> tuple[Makefile, Buffer] | None:
        """What an open makefile comes to, and its text; None if it is none, or cannot be read in
        the time."""
        buffer = self.buffers.get(uri)
        if buffer is None or not buffer.path or not self.is_makefile(buffer.path):
            return None
        texts = self.buffers.below(os.path.dirname(buffer.path))
        key = buffer.path, frozenset(texts.items())
        if self._makefile is None or self._makefile[0] != key:
            try:
                question = ask(partial(read_makefile, buffer.path, texts))
                self._makefile = key, await asyncio.wait_for(question, _LONGEST_S)
            except (NoAnswer, TimeoutError) as error:
                log.warning("cannot read %s: %s", buffer.path, error)
                return None
        return self._makefile[1], buffer

    # -- reading anew ------------------------------------------------------------------------

    def changed(self) -> None:
        """A text has changed: it is read when the editor has asked what it wanted to ask."""
        self.projects.forget()
        self._unswept += 1
        if self._unswept > _MOST_UNSWEPT:
            self._sweep()
        if self._timer is not None:
            self._timer.cancel()
        for task in (self._planning, self._reading, self._checking):
            if task is not None:
                task.cancel()
        self._planning = self._reading = self._checking = None
        self._timer = asyncio.get_running_loop().call_later(_QUIET_S, self._look)

    def _look(self) -> None:
        self._timer = None
        for project in self._open_projects():
            self._guarded(self._tell, project)
        self._planning = asyncio.get_running_loop().create_task(self._plan())
        self._reading = asyncio.get_running_loop().create_task(self._tell_makefiles())
        self._checking = asyncio.get_running_loop().create_task(self._check_python())

    async def _tell_makefiles(self) -> None:
        for buffer in self.buffers:
            found = await self.makefile(buffer.uri)
            if found is not None and not self.pulls:
                self._told.add(buffer.uri)
                self.text_document_publish_diagnostics(
                    types.PublishDiagnosticsParams(
                        buffer.uri, makefiles.diagnostics(*found), buffer.version
                    )
                )

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
        self.reader.look_again()
        for project in self._open_projects():
            try:
                analysis = project.analysis()
                question = partial(plan_of, project.place, analysis.texts, self.reader)
                plan = await ask(question, UNASKED)
                project.take(plan, analysis)
            except NoAnswer as error:
                log.warning("no plan of %s: %s", project.place.folder, error)
            except Exception:
                log.exception("no plan of %s", project.place.folder)
            else:
                self._guarded(self._tell, project)
        self.refresh()
        if self._unswept > _MANY_UNSWEPT or not self._swept:
            self._sweep()

    def _sweep(self) -> None:
        """Lets go of what earlier readings have left. Most of what the first one made stays: it is
        not looked at again."""
        self._unswept = 0
        gc.collect()
        if not self._swept:
            self._swept = True
            gc.freeze()

    async def _check_python(self) -> None:
        """When nobody types, the Python of open files is held against its types."""
        await asyncio.sleep(_IDLE_S)
        for project in self._open_projects():
            try:
                changed = await self._check_python_of(project)
            except Exception:
                log.exception("the Python of %s is not checked", project.place.folder)
            else:
                if changed:
                    self._guarded(self._tell, project)
                    self._refresh_diagnostics()

    async def _check_python_of(self, project: EditedProject) -> bool:
        """Whether there is something else to be told of its Python than before."""
        analysis = project.analysis()
        before = list(project.python_complaints())
        opened = [each.path for each in self.buffers]
        for name, sheet in analysis.sheets.items():
            is_open = project.place.path(name) in opened
            here = Here(project, analysis, sheet)
            found = await self.python.complaints(here) if is_open else []
            project.take_python(name, sheet.text, found)
        return before != list(project.python_complaints())

    def _refresh_diagnostics(self) -> None:
        """Has an editor that asks for what is wrong ask again."""
        if self.pulls:
            self.workspace_diagnostic_refresh(None)

    def use(self, settings: Settings) -> None:
        """What the user has set counts from now on."""
        self.settings = self.python.settings = settings

    def refresh(self) -> None:
        """Has the editor ask again for what a plan may have changed."""
        workspace = self.client_capabilities.workspace
        if workspace is None:
            return
        self._refresh_diagnostics()
        if workspace.inlay_hint and workspace.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)
        if workspace.code_lens and workspace.code_lens.refresh_support:
            self.workspace_code_lens_refresh(None)

    def _tell(self, project: EditedProject) -> None:
        """Pushes what is wrong to an editor that does not ask."""
        if self.pulls:
            return
        for name, found in of_project(project).items():
            uri = project.uri(name)
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

    async def end(self) -> None:
        """Ends what runs, and waits for it: pygls has no request in the making at its own end."""
        if self._timer is not None:
            self._timer.cancel()
        for task in (*self._works, self._planning, self._reading, self._checking):
            if task is not None:
                task.cancel()
        while self._works:
            await asyncio.wait(self._works)
            await asyncio.sleep(0)  # those that wait for it go on
        await self.python.end()

    # -- what takes long ---------------------------------------------------------------------

    async def watched(self, title: str, deed: Callable[[Tell], Coroutine[Any, Any, T]]) -> T:
        """What something gives that takes long: the editor shows how far it is, if it can, and may
        cancel it. Raises JsonRpcRequestCancelled if it does."""
        window = self.client_capabilities.window
        if not (window and window.work_done_progress):
            return await deed(lambda _, __: None)
        bar = self.work_done_progress
        token = f"pybuild-{next(self._tokens)}"
        await bar.create_async(token)
        bar.begin(token, types.WorkDoneProgressBegin(title, cancellable=True))

        def tell(message: str, percent: int | None) -> None:
            bar.report(token, types.WorkDoneProgressReport(message=message, percentage=percent))

        loop = asyncio.get_running_loop()
        work = loop.create_task(deed(tell))

        def settled(future: Future[None]) -> None:
            if future.cancelled():
                loop.call_soon_threadsafe(work.cancel)

        bar.tokens[token].add_done_callback(settled)
        self._works.add(work)
        try:
            # A request that is cancelled itself takes the work along.
            await asyncio.wait([work])
        finally:
            work.cancel()
            self._works.discard(work)
            bar.tokens.pop(token, None)
            bar.end(token, types.WorkDoneProgressEnd())
        if work.cancelled():
            raise JsonRpcRequestCancelled("cancelled")
        return work.result()
