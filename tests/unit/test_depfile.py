"""What compilers say that they have read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pybuild.engine.depfile import read_depfile


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("\n\n", []),
        ("a.o:", []),
        ("a.o: a.c", ["a.c"]),
        ("a.o: a.c\n", ["a.c"]),
        ("a.o: a.c b.h c.h\n", ["a.c", "b.h", "c.h"]),
        ("a.o: a.c \\\n b.h \\\n c.h\n", ["a.c", "b.h", "c.h"]),
        ("a.o: \\\n a.c\n", ["a.c"]),
        ("a.o : a.c\n", ["a.c"]),
        ("a.o:\ta.c\tb.h\n", ["a.c", "b.h"]),
        # Windows newlines
        ("a.o: a.c \\\r\n b.h\r\n", ["a.c", "b.h"]),
        # names that make quotes
        ("a.o: my\\ file.h b.h\n", ["my file.h", "b.h"]),
        ("a.o: a$$b.h\n", ["a$b.h"]),
        ("a.o: a\\#b.h\n", ["a#b.h"]),
        ("a.o: a\\b.h\n", ["a\\b.h"]),
        ("a.o: a\\\\b.h\n", ["a\\\\b.h"]),
        ("a.o: a\\\\\\ b.h\n", ["a\\ b.h"]),
        ("a.o: a:b.h\n", ["a:b.h"]),
        ("c:\\x\\a.o: c:\\x\\a.c\n", ["c:\\x\\a.c"]),
        ("my\\ a.o: a.c\n", ["a.c"]),
        ("a.o: ü.h\n", ["ü.h"]),
        # several targets, several rules
        ("a.o a.d: a.c b.h\n", ["a.c", "b.h"]),
        ("a.o: a.c\nb.o: b.c\n", ["a.c", "b.c"]),
        ("a.o: a.c b.h\n\nb.h:\n\nc.h:\n", ["a.c", "b.h"]),
        ("a.o: a.c \\\n b.h\n\nb.h:\n", ["a.c", "b.h"]),
        # each once, as pybuild writes it
        ("a.o: a.c b.h a.c\n", ["a.c", "b.h"]),
        ("a.o: ./a.c x/../b.h ./b.h\n", ["a.c", "b.h"]),
        ("a.o: /usr/include/stdio.h\n", ["/usr/include/stdio.h"]),
        # what other tools write
        ("# made by a tool\na.o: a.c\n", ["a.c"]),
        ("no colon here\n", []),
    ],
)
def test_read_depfile(text: str, names: list[str]) -> None:
    assert read_depfile(text) == names


_HEADERS = ["plain.h", "a blank.h", "dollar$.h", "hash#.h", "back\\slash.h", "c:d.h", "sub/e f.h"]


@pytest.mark.parametrize(
    ("options", "headers"),
    [(["-MD"], _HEADERS), (["-MD", "-MP"], _HEADERS), (["-MD"], ["both\\ x.h"])],
)
def test_what_gcc_writes(tmp_path: Path, options: list[str], headers: list[str]) -> None:
    (tmp_path / "sub").mkdir()
    for name in headers:
        (tmp_path / name).write_text("")
    text = "".join(f'#include "{name}"\n' for name in headers) + "int x;\n"
    (tmp_path / "main file.c").write_text(text)
    command = ["gcc", *options, "-c", "main file.c", "-o", "main file.o"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    found = read_depfile((tmp_path / "main file.d").read_text())
    assert [name for name in found if not name.startswith("/")] == ["main file.c", *headers]
