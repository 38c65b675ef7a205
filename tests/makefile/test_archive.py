from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.makefile.archive import (
    ArchiveError,
    member_of,
    member_time,
    members,
    touch,
)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def header(name: str, size: int, date: int = 0) -> bytes:
    return f"{name:<16}{date:<12}{0:<6}{0:<6}{'100644':<8}{size:<10}`\n".encode()


def archive(*parts: tuple[bytes, bytes], magic: bytes = b"!<arch>\n") -> bytes:
    made = magic
    for head, content in parts:
        made += head + content
        if len(content) % 2:
            made += b"\n"
    return made


def gnu() -> bytes:
    names = b"a_very_long_name_indeed.o/\n"
    return archive(
        (header("/", 5), b"\0\0\0\0\0"),
        (header("//", len(names)), names),
        (header("a.o/", 3, 1000), b"abc"),
        (header("/0", 4, 2000), b"abcd"),
        (header("c.o/", 1, 3000), b"c"),
    )


def test_an_archive_of_gnu(here) -> None:
    (here / "lib.a").write_bytes(gnu())

    assert [(each.name, each.date) for each in members("lib.a")] == [
        ("a.o", 1000),
        ("a_very_long_name_indeed.o", 2000),
        ("c.o", 3000),
    ]
    assert member_time("lib.a(a.o)") == 1000 * 10**9
    assert member_time("lib.a(a_very_long_name_indeed.o)") == 2000 * 10**9
    assert member_time("lib.a(a_very_long_nam)") is None
    assert member_time("lib.a(b.o)") is None


def test_a_member_is_known_by_the_last_part_of_its_name(here) -> None:
    (here / "lib.a").write_bytes(gnu())

    assert member_time("lib.a(d/c.o)") == 3000 * 10**9


def test_an_archive_of_bsd(here) -> None:
    long = b"a_very_long_name_indeed.o\0\0\0"
    (here / "lib.a").write_bytes(
        archive(
            (header("#1/20", 25), b"__.SYMDEF SORTED\0\0\0\0" + b"\0" * 5),
            (header("__.SYMDEF", 4), b"\0" * 4),
            (header(f"#1/{len(long)}", len(long) + 3, 1000), long + b"abc"),
            (header("a.o", 1, 2000), b"a"),
        )
    )

    assert [(each.name, each.date) for each in members("lib.a")] == [
        ("a_very_long_name_indeed.o", 1000),
        ("a.o", 2000),
    ]


def test_a_name_that_was_cut(here) -> None:
    (here / "lib.a").write_bytes(archive((header("a_very_long_nam/", 2, 1000), b"ab")))

    assert member_time("lib.a(a_very_long_name_indeed.o)") == 1000 * 10**9
    assert member_time("lib.a(a_very_long_nam)") == 1000 * 10**9
    assert member_time("lib.a(a_very.o)") is None


def test_a_thin_archive(here) -> None:
    names = b"a.o/\nd/c.o/\n"
    (here / "lib.a").write_bytes(
        archive(
            (header("//", len(names)), names),
            (header("/0", 1001, 1000), b""),
            (header("/5", 1001, 2000), b""),
            magic=b"!<thin>\n",
        )
    )

    assert [(each.name, each.date) for each in members("lib.a")] == [("a.o", 1000), ("d/c.o", 2000)]


def test_what_is_no_archive(here) -> None:
    (here / "no.a").write_bytes(b"something else")
    (here / "cut.a").write_bytes(gnu()[:150])
    (here / "folder.a").mkdir()

    for name in ("no.a(x)", "cut.a(x)", "folder.a(x)", "absent.a(x)", "lib.a"):
        assert member_time(name) is None


def test_touching_a_member(here) -> None:
    (here / "lib.a").write_bytes(gnu())
    (here / "no.a").write_bytes(b"something else")
    (here / "folder.a").mkdir()
    before = [each.date for each in members("lib.a")]
    touch("lib.a(c.o)")
    after = [each.date for each in members("lib.a")]

    assert after[:2] == before[:2] and after[2] > 10**9
    for name, said in {
        "absent.a(x)": "Archive 'absent.a' does not exist",
        "lib.a(x)": "Member 'x' does not exist in 'lib.a'",
        "folder.a(x)": "'folder.a' is not a valid archive",
        "no.a(x)": "'no.a' is not a valid archive",
    }.items():
        with pytest.raises(ArchiveError) as caught:
            touch(name)
        assert str(caught.value) == said


def test_names() -> None:
    assert member_of("lib.a(m.o)") == ("lib.a", "m.o")
    assert member_of("d/lib.a(d/m.o)") == ("d/lib.a", "d/m.o")
    assert member_of("a(b)c)") == ("a", "b)c")
    for name in ("lib.a", "(m.o)", "lib.a()", "lib.a(m", "m)"):
        assert member_of(name) is None
