"""A client of `ty server` (https://docs.astral.sh/ty/), which reads Python and tells its types.

One process, a child of ours: it ends when its standard input does, so it does not outlive us
however we end. What it does not answer in time, or at all, is `NoAnswer` to who asks; a child that
fails again and again is not started any more. Columns are counted in characters (UTF-32), as in our
own texts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient
from pygls.protocol import default_converter

from pybuild import __version__
from pybuild.lsp.asking import NoAnswer
from pybuild.lsp.buffers import uri_of
from pybuild.typed import Any, NamedTuple

T = TypeVar("T")

log = logging.getLogger(__name__)

_LONGEST_START_S = 5.0
ANSWER_S = 1.0  # somebody waits for a completion
CHECK_S = 20.0  # nobody waits for what is wrong
_LONGEST_END_S = 1.0
_MOST_FAILURES = 3  # in a row
_MARKDOWN = (types.MarkupKind.Markdown,)
_CAPABILITIES = types.ClientCapabilities(
    general=types.GeneralClientCapabilities(
        position_encodings=[types.PositionEncodingKind.Utf32],
    ),
    text_document=types.TextDocumentClientCapabilities(
        hover=types.HoverClientCapabilities(content_format=_MARKDOWN),
        diagnostic=types.DiagnosticClientCapabilities(),  # so it waits to be asked
    ),
)

# There is no place for an import in a Pipefile's line, and to know all modules takes seconds.
_SETTINGS = {"completions": {"autoImport": False}}


class Document(NamedTuple):
    """A text that is asked about: its address, what it says, and the folder of its project."""

    uri: str
    text: str
    folder: str


class Ty:
    """The child, and what it has been told. To be used in one event loop."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._client: _Client | None = None
        self._starting: asyncio.Task[_Client] | None = None
        self._told: dict[str, tuple[int, str]] = {}  # versions and texts of documents
        self._folders: set[str] = set()
        self._failures = 0

    async def client_for(self, document: Document) -> LanguageClient:
        """The client, once the child is there and knows the document as it is now. What is asked
        in the same step of the loop is asked about that text. Raises NoAnswer."""
        if self._failures >= _MOST_FAILURES:
            raise NoAnswer("ty has failed too often")
        client = self._client
        if client is None or client.stopped:
            client = await self._started(document.folder)
        self._tell_folder(client, document.folder)
        self._tell(client, document)
        return client

    async def answer(self, asked: Future[T], longest_s: float = ANSWER_S) -> T:
        """What the child answers to a question that was sent. Raises NoAnswer."""
        coming = asyncio.wrap_future(asked)
        coming.add_done_callback(_looked_at)
        try:
            # Shielded, since pygls takes an answer to what nobody waits for any more for a mistake.
            found = await asyncio.wait_for(asyncio.shield(coming), longest_s)
        except TimeoutError:
            self._failed(f"there was no answer in {longest_s:g} s")
            raise NoAnswer("ty is too slow") from None
        except JsonRpcException as error:  # an answer, too: the text has changed meanwhile, say
            raise NoAnswer(str(error)) from error
        except RuntimeError as error:  # it has died
            self._failed(str(error))
            raise NoAnswer(str(error)) from error
        self._failures = 0
        return found

    def close(self, uri: str) -> None:
        """A document is not edited any more; no error if it was not known."""
        if self._told.pop(uri, None) is not None and self._client is not None:
            document = types.TextDocumentIdentifier(uri)
            self._client.text_document_did_close(types.DidCloseTextDocumentParams(document))

    async def end(self) -> None:
        """Ends the child."""
        self._failures = _MOST_FAILURES
        if self._starting is not None:
            self._starting.cancel()
        client, self._client = self._client, None
        if client is not None:
            await client.end()

    async def _started(self, folder: str) -> _Client:
        """The client once it is there. Who does not wait for that any more leaves it to others."""
        if self._starting is None or self._starting.done():
            self._starting = asyncio.get_running_loop().create_task(self._start(folder))
            self._starting.add_done_callback(_looked_at)
        return await asyncio.shield(self._starting)

    async def _start(self, folder: str) -> _Client:
        self._told.clear()
        self._folders = {folder}
        client = _Client()
        try:
            await asyncio.wait_for(client.begin(self._program, folder), _LONGEST_START_S)
        except asyncio.CancelledError:
            client.kill()
            raise
        except Exception as error:  # whatever keeps it from starting
            self._failed(f"{self._program} does not start: {error}")
            await client.end()
            raise NoAnswer(str(error)) from error
        self._client = client
        return client

    def _failed(self, why: str) -> None:
        self._failures += 1
        if self._failures == _MOST_FAILURES:
            log.warning("ty is not asked any more: %s", why)
            client, self._client = self._client, None
            if client is not None:
                client.kill()

    def _tell_folder(self, client: _Client, folder: str) -> None:
        if folder not in self._folders:
            self._folders.add(folder)
            event = types.WorkspaceFoldersChangeEvent([_folder(folder)], [])
            client.workspace_did_change_workspace_folders(
                types.DidChangeWorkspaceFoldersParams(event)
            )

    def _tell(self, client: _Client, document: Document) -> None:
        version, text = self._told.get(document.uri, (0, ""))
        if version and text == document.text:
            return
        version += 1
        self._told[document.uri] = version, document.text
        if version == 1:
            item = types.TextDocumentItem(document.uri, "python", version, document.text)
            client.text_document_did_open(types.DidOpenTextDocumentParams(item))
            return
        identifier = types.VersionedTextDocumentIdentifier(version, document.uri)
        change = types.TextDocumentContentChangeWholeDocument(document.text)
        client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))


class _Client(LanguageClient):
    """The protocol with one child."""

    def __init__(self) -> None:
        super().__init__("pybuild", __version__, converter_factory=_converter)
        for method in (types.WINDOW_LOG_MESSAGE, types.WINDOW_SHOW_MESSAGE):
            self.feature(method)(_ignored)

    async def begin(self, program: str, folder: str) -> None:
        """Starts the child for a folder."""
        await self.start_io(program, "server", cwd=folder, env=_environment())
        assert self._server is not None and self._server.stderr is not None
        self._async_tasks.append(asyncio.create_task(_drain(self._server.stderr)))
        for task in self._async_tasks:
            task.add_done_callback(_looked_at)
        found = await self.initialize_async(
            types.InitializeParams(
                _CAPABILITIES,
                process_id=os.getpid(),
                root_uri=uri_of(folder),
                workspace_folders=[_folder(folder)],
                initialization_options=_SETTINGS,
            )
        )
        if found.capabilities.position_encoding != types.PositionEncodingKind.Utf32:
            raise NoAnswer("it does not count in characters")
        self.initialized(types.InitializedParams())

    async def end(self) -> None:
        """Ends the child, by force if it does not of itself."""
        if self._server is None:
            return
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.shutdown_async(None), _LONGEST_END_S)
            self.exit(None)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._server.wait(), _LONGEST_END_S)
        self.kill()
        with contextlib.suppress(Exception):
            await self.stop()  # type: ignore[no-untyped-call]

    def kill(self) -> None:
        """Ends the child at once."""
        if self._server is not None and self._server.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._server.kill()

    def report_server_error(self, error: Exception, source: type[Any]) -> None:
        """What the child says is not understood: who asked gets no answer."""
        log.debug("%s: %s", source.__name__, error)


def _converter() -> Any:
    """That of pygls. lsprotocol 2025.0.0 cannot read what servers say of notebooks; nobody asks."""
    converter = default_converter()  # type: ignore[no-untyped-call]
    converter.register_structure_hook(types.NotebookDocumentSyncOptions, lambda _, __: None)
    return converter


def _environment() -> Mapping[str, str]:
    """Of the child: the Python that runs us runs what is in Pipefiles, so its modules count."""
    environment = dict(os.environ)
    if sys.prefix != sys.base_prefix:
        environment["VIRTUAL_ENV"] = sys.prefix
    return environment


def _folder(path: str) -> types.WorkspaceFolder:
    return types.WorkspaceFolder(uri_of(path), os.path.basename(path))


def _ignored(_: Any) -> None:
    """What nobody is to see."""


def _looked_at(task: asyncio.Future[Any]) -> None:
    """Takes the exception of something for which nobody waits any more."""
    if not task.cancelled():
        task.exception()


async def _drain(stream: asyncio.StreamReader) -> None:
    """Reads what the child says on its standard error, so that it can go on."""
    while await stream.read(1 << 16):
        pass
