"""A client that speaks with the real server, as some editor does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities


class Editor:
    """A folder that is edited: files are written, opened, changed and asked about."""

    def __init__(self, client: LanguageClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.texts: dict[str, str] = {}
        self._versions: dict[str, int] = {}

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def document(self, name: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(name))

    def write(self, name: str, text: str = "") -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def open(self, text: str, name: str = "Pipefile", language: str = "pipefile") -> None:
        """Writes a file and opens it."""
        self.write(name, text)
        self.show(text, name, language)

    def show(self, text: str, name: str = "Pipefile", language: str = "pipefile") -> None:
        """Opens a text that is not on disk."""
        self.texts[name] = text
        self._versions[name] = 1
        item = types.TextDocumentItem(self.uri(name), language, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(
        self, changes: list[types.TextDocumentContentChangeEvent], name: str = "Pipefile"
    ) -> None:
        self._versions[name] += 1
        document = types.VersionedTextDocumentIdentifier(self._versions[name], self.uri(name))
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, changes))

    def replace(self, text: str, name: str = "Pipefile") -> None:
        """The whole text is another one."""
        self.texts[name] = text
        self.change([types.TextDocumentContentChangeWholeDocument(text)], name)

    def place(self, mark: str, name: str = "Pipefile", nth: int = 1) -> types.Position:
        """The position of `|` in a mark such as `<in|put>`, where the text has it without."""
        before, _, after = mark.partition("|")
        offset = -1
        for _ in range(nth):
            offset = self.texts[name].index(before + after, offset + 1)
        head = self.texts[name][: offset + len(before)]
        line = head.rpartition("\n")[2]
        return types.Position(head.count("\n"), len(line.encode("utf-16-le")) // 2)

    def at(self, mark: str, name: str = "Pipefile", nth: int = 1) -> dict[str, object]:
        """What requests about a position take."""
        return {"text_document": self.document(name), "position": self.place(mark, name, nth)}

    def text_of(self, where: types.Range, name: str = "Pipefile") -> str:
        """The characters of a range."""
        lines = self.texts[name].split("\n")
        if where.start.line == where.end.line:
            row = lines[where.start.line].encode("utf-16-le")
            return row[where.start.character * 2 : where.end.character * 2].decode("utf-16-le")
        first = lines[where.start.line][where.start.character :]
        middle = lines[where.start.line + 1 : where.end.line]
        last = lines[where.end.line] if where.end.line < len(lines) else ""
        return "\n".join([first, *middle, last[: where.end.character]])

    async def told(
        self, fits: Callable[[list[types.Diagnostic]], bool], name: str = "Pipefile"
    ) -> list[types.Diagnostic]:
        """Waits until the errors in a file are as expected."""
        return await self.warned(lambda found: fits(_errors(found)), name, _errors)

    async def warned(
        self,
        fits: Callable[[list[types.Diagnostic]], bool],
        name: str = "Pipefile",
        of: Callable[[list[types.Diagnostic]], list[types.Diagnostic]] = list,
    ) -> list[types.Diagnostic]:
        """The same for all that is told, warnings among it."""
        async with asyncio.timeout(30):
            while True:
                found = self.client.diagnostics.get(self.uri(name))
                if found is not None and fits(list(found)):
                    return of(list(found))
                await self.client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)


def _errors(found: list[types.Diagnostic]) -> list[types.Diagnostic]:
    return [each for each in found if each.severity == types.DiagnosticSeverity.Error]


def codes(found: list[types.Diagnostic]) -> list[object]:
    return [each.code for each in found]


async def _begin(
    client: LanguageClient, folder: Path, capabilities: types.ClientCapabilities
) -> None:
    client.set_configuration({})
    await client.initialize_session(
        types.InitializeParams(
            capabilities=capabilities,
            workspace_folders=[types.WorkspaceFolder(folder.as_uri(), folder.name)],
            root_uri=folder.as_uri(),
        )
    )


def _agreed(_: Any) -> None:
    """The answer to what a server asks of an editor that says it can do that. Such a request may come
    at any time of a test, and one without an answer would be the test's failure."""


SERVER = ClientServerConfig(server_command=[sys.executable, "-m", "pybuild", "--lsp"])


@pytest_lsp.fixture(config=SERVER)
async def told_client(lsp_client: LanguageClient, tmp_path: Path) -> AsyncIterator[None]:
    await _begin(lsp_client, tmp_path, client_capabilities("neovim@v0.9"))
    yield
    await lsp_client.shutdown_session()


@pytest_lsp.fixture(config=SERVER)
async def brief_client(lsp_client: LanguageClient, tmp_path: Path) -> AsyncIterator[None]:
    """The test ends the session."""
    await _begin(lsp_client, tmp_path, client_capabilities("neovim@v0.9"))
    yield


@pytest_lsp.fixture(config=SERVER)
async def asking_client(lsp_client: LanguageClient, tmp_path: Path) -> AsyncIterator[None]:
    capabilities = client_capabilities("visual_studio_code")
    assert capabilities.text_document and capabilities.workspace
    capabilities.text_document.diagnostic = types.DiagnosticClientCapabilities()
    capabilities.workspace.diagnostics = types.DiagnosticWorkspaceClientCapabilities(True)
    capabilities.general = types.GeneralClientCapabilities(
        position_encodings=[types.PositionEncodingKind.Utf8]
    )

    for method in (
        types.CLIENT_REGISTER_CAPABILITY,
        types.WORKSPACE_CODE_LENS_REFRESH,
        types.WORKSPACE_SEMANTIC_TOKENS_REFRESH,
    ):
        lsp_client.feature(method)(_agreed)
    await _begin(lsp_client, tmp_path, capabilities)
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def editor(told_client: LanguageClient, tmp_path: Path) -> Editor:
    """An editor as Neovim is one, which is told of mistakes."""
    return Editor(told_client, tmp_path)


@pytest.fixture
def asking_editor(asking_client: LanguageClient, tmp_path: Path) -> Editor:
    """An editor that asks for what is wrong, as Visual Studio Code does, and counts in UTF-8."""
    return Editor(asking_client, tmp_path)
