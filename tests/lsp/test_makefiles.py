"""Makefiles in the same server."""

from __future__ import annotations

import pytest
from lsprotocol import types

from tests.lsp.conftest import Editor

pytestmark = pytest.mark.asyncio

FILE = """\
CC = gcc
CFLAGS += -O2
REV := $(shell touch pwned; git rev-parse HEAD)
SOURCES = a.c b.c
OBJECTS = $(SOURCES:.c=.o)
$(file >written,no)

.PHONY: all
all: app

app: $(OBJECTS)
\t$(CC) $(CFLAGS) -o $@ $^

%.o: %.c
\t$(CC) -c $< -o $@
"""


@pytest.fixture
def makefile(editor: Editor) -> Editor:
    editor.open(FILE, "Makefile", "makefile")
    return editor


async def hovered(editor: Editor, mark: str) -> str:
    found = await editor.client.text_document_hover_async(
        types.HoverParams(**editor.at(mark, "Makefile"))
    )
    if found is None:
        return ""
    assert isinstance(found.contents, types.MarkupContent)
    return found.contents.value


async def test_variables_and_targets(makefile: Editor) -> None:
    told = await hovered(makefile, "app: $(OBJ|ECTS)")
    assert "now `a.o b.o`" in told and "Makefile:5" in told
    assert "`a.o`, `b.o`" in await hovered(makefile, "all: ap|p")
    assert "the target" in await hovered(makefile, "-o $|@ $^")
    assert "in a build only" in await hovered(makefile, "RE|V :=")
    found = await makefile.client.text_document_definition_async(
        types.DefinitionParams(**makefile.at("$(CFL|AGS)", "Makefile"))
    )
    assert isinstance(found, list)
    assert [each.range.start.line for each in found if isinstance(each, types.Location)] == [1]
    symbols = await makefile.client.text_document_document_symbol_async(
        types.DocumentSymbolParams(makefile.document("Makefile"))
    )
    names = [each.name for each in symbols or []]
    assert names == ["CC", "CFLAGS", "REV", "SOURCES", "OBJECTS", "all", "app", "%.o"]


async def test_completion(makefile: Editor) -> None:
    found = await makefile.client.text_document_completion_async(
        types.CompletionParams(**makefile.at("$(CF|LAGS)", "Makefile"))
    )
    assert isinstance(found, types.CompletionList)
    assert {"CFLAGS", "SOURCES"} <= {each.label for each in found.items}


async def test_a_mistake_is_told_and_nothing_is_run(makefile: Editor) -> None:
    assert await makefile.told(lambda found: not found, "Makefile") == []
    makefile.replace(FILE + "    no separator here\n", "Makefile")
    (found,) = await makefile.told(bool, "Makefile")
    assert "missing separator" in found.message
    assert found.range.start.line == FILE.count("\n")
    assert not (makefile.folder / "pwned").exists()
    assert not (makefile.folder / "written").exists()
