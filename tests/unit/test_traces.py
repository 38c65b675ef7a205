"""The journal: what goes in comes out, from any file, however damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybuild.content import digest_of
from pybuild.engine.traces import DIGEST_SIZE, HEADER, Journal, Stamp, Trace, stamp_of, stand_in
from pybuild.files import Status

_SECOND = 1_000_000_000
_MS = 1_000_000


def stamp(number: int = 1, settled: bool = True) -> Stamp:
    return Stamp(10**18 + number, number, number, digest_of(b"%d" % number), settled)


def trace(
    inputs: tuple[str, ...] = ("in",),
    outputs: tuple[str, ...] = ("out",),
    discovered: tuple[str, ...] = (),
    number: int = 1,
) -> Trace:
    def digests(names: tuple[str, ...]) -> bytes:
        return b"".join(digest_of(f"{number} {name!a}".encode()) for name in names)

    return Trace(
        digest_of(b"text"),
        digest_of(b"values"),
        b"set",
        inputs,
        digests(inputs),
        discovered,
        digests(discovered),
        outputs,
        digests(outputs),
        10**18,
        0.25 * number,
    )


def again(journal: Journal) -> Journal:
    """The journal closed and read from its file."""
    journal.close()
    found = Journal(journal.path)
    assert found.complaint == ""
    return found


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "journal")


# -- round trips ----------------------------------------------------------------------------------


def test_a_new_journal_is_empty_and_writes_nothing(path: str) -> None:
    journal = Journal(path)
    journal.close()
    assert not Path(path).exists()
    assert journal.complaint == ""
    assert journal.trace("a") is None
    assert journal.started("a") is None
    assert journal.stamp("a") is None
    assert journal.seconds("a") is None
    assert journal.made() == {}


def test_a_finished_job_comes_back(path: str) -> None:
    journal = Journal(path)
    told = trace(("in", "a b", "ü"), ("out", "log"), ("x.h",))
    journal.finish("job", told, {"in": stamp(1), "out": stamp(2)}, {b"set": {"cc": "gcc"}})
    for each in (journal, again(journal)):
        assert each.trace("job") == told
        assert each.seconds("job") == told.seconds
        assert each.stamp("in") == stamp(1)
        assert each.stamp("out") == stamp(2)
        assert each.blob(b"set") == {"cc": "gcc"}
        assert each.started("job") is None
        assert each.made() == {
            "out": told.output_digests[:DIGEST_SIZE],
            "log": told.output_digests[DIGEST_SIZE:],
        }
        assert each.maker("log") == "job"
        assert each.maker("in") is None
        assert each.maker("nowhere") is None


def test_names_that_are_no_utf8_come_back(path: str) -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    journal = Journal(path)
    journal.finish(name, trace((name,), (name,)), {name: stamp()}, {})
    found = again(journal).trace(name)
    assert found is not None
    assert found.inputs == (name,)


def test_a_started_job_counts_as_interrupted_until_it_has_finished(path: str) -> None:
    journal = Journal(path)
    journal.start("job", ["stranger"])
    begun = journal.started("job")
    assert begun is not None and begun.strangers == ("stranger",)
    journal = again(journal)
    begun = journal.started("job")
    assert begun is not None and begun.strangers == ("stranger",)
    journal.finish("job", trace(), {}, {})
    assert journal.started("job") is None
    assert again(journal).started("job") is None


def test_a_start_leaves_the_last_good_run_known(path: str) -> None:
    journal = Journal(path)
    journal.finish("job", trace(number=3), {}, {})
    journal.start("job")
    journal = again(journal)
    begun = journal.started("job")
    assert begun is not None and begun.strangers == ()
    assert journal.trace("job") == trace(number=3)


@pytest.mark.parametrize("order", [("finish",), ("start",), ("finish", "start")])
def test_a_forgotten_job_is_gone_at_once_and_for_good(path: str, order: tuple[str, ...]) -> None:
    journal = Journal(path)
    for step in order:
        if step == "start":
            journal.start("job")
        else:
            journal.finish("job", trace(), {}, {})
    journal.forget("job")
    for each in (journal, again(journal)):
        assert each.trace("job") is None
        assert each.started("job") is None


def test_forgetting_what_was_never_known_writes_nothing(path: str) -> None:
    journal = Journal(path)
    journal.forget("job")
    journal.close()
    assert not Path(path).exists()


def test_a_renewed_stamp_is_written_when_the_journal_is_closed(path: str) -> None:
    journal = Journal(path)
    journal.finish("job", trace(), {"in": stamp(1)}, {})
    journal = again(journal)
    journal.renew("in", stamp(2))
    assert journal.stamp("in") == stamp(2)
    assert again(journal).stamp("in") == stamp(2)


def test_reading_alone_never_changes_the_file(path: str) -> None:
    journal = Journal(path)
    journal.finish("job", trace(), {"in": stamp(1)}, {})
    journal.close()
    before = Path(path).read_bytes()
    again(Journal(path))
    assert Path(path).read_bytes() == before


def test_the_last_of_many_runs_counts(path: str) -> None:
    journal = Journal(path)
    for number in range(1, 6):
        journal.start("job")
        journal.finish("job", trace(number=number), {"in": stamp(number)}, {})
    journal = again(journal)
    assert journal.trace("job") == trace(number=5)
    assert journal.stamp("in") == stamp(5)


def test_a_journal_of_dead_records_is_written_anew_and_says_the_same(path: str) -> None:
    journal = Journal(path)
    journal.start("interrupted", ["s"])
    journal.finish("other", trace(("x",), ("y",)), {"x": stamp(7)}, {b"set": {"a": "1"}})
    for number in range(1, 600):
        journal.finish("job", trace(number=number), {"in": stamp(number)}, {b"%d" % number: {}})
    written = Path(path).stat().st_size
    journal = again(journal)
    assert Path(path).stat().st_size < written // 20
    assert journal.trace("job") == trace(number=599)
    assert journal.trace("other") == trace(("x",), ("y",))
    begun = journal.started("interrupted")
    assert begun is not None and begun.strangers == ("s",)
    assert journal.stamp("x") == stamp(7)
    assert journal.blob(b"set") == {"a": "1"}
    assert journal.blob(b"7") is None
    journal.finish("new", trace(("in", "n"), ("m",)), {}, {})
    journal = again(journal)
    assert journal.trace("new") == trace(("in", "n"), ("m",))
    assert journal.trace("other") == trace(("x",), ("y",))


def test_runs_that_are_still_in_the_file(path: str) -> None:
    journal = Journal(path)
    journal.finish("other", trace(("x",), ("y",)), {}, {})
    runs = [(10**18 + number, 0.25 * number) for number in range(1, 4)]
    for number, (started_ns, _) in enumerate(runs, 1):
        journal.start("job")
        journal.finish("job", trace(number=number)._replace(started_ns=started_ns), {}, {})
    journal.finish("job", trace(number=3)._replace(started_ns=runs[-1][0]), {"in": stamp()}, {})
    journal.forget("job")
    journal.close()
    with Path(path).open("ab") as handle:
        handle.write(b"garbage")
    journal = Journal(path)
    assert journal.runs("job") == runs[::-1]
    assert journal.runs("other") == [(10**18, 0.25)]
    assert journal.runs("nobody") == []
    for number in range(1, 600):
        journal.finish("other", trace(("x",), ("y",), number=number), {}, {})
    journal = again(journal)
    assert journal.runs("job") == []
    assert journal.runs("other") == [(10**18, 0.25 * 599)]


@pytest.mark.parametrize("count", [1, 600])
def test_writing_goes_on_after_closing(path: str, count: int) -> None:
    journal = Journal(path)
    for number in range(count):
        journal.finish("job", trace(number=number), {}, {})
    journal.close()
    journal.finish("late", trace(("p",), ("q",)), {}, {})
    journal = again(journal)
    assert journal.trace("job") is not None
    assert journal.trace("late") == trace(("p",), ("q",))


_names = st.sampled_from(["a", "b", "c d", "é"])
_steps = st.lists(
    st.tuples(
        st.sampled_from(["start", "finish", "forget", "renew", "reopen"]),
        _names,
        st.lists(_names, max_size=3, unique=True),
        st.integers(1, 9),
    ),
    max_size=20,
)


@given(steps=_steps)
def test_a_journal_read_again_says_what_the_one_in_memory_says(
    steps: list[tuple[str, str, list[str], int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    journal = Journal(str(tmp_path_factory.mktemp("journal") / "journal"))
    for step, job, names, number in steps:
        if step == "start":
            journal.start(job, names)
        elif step == "finish":
            told = trace(tuple(names), (job,), number=number)
            journal.finish(job, told, {name: stamp(number) for name in names}, {})
        elif step == "forget":
            journal.forget(job)
        elif step == "renew":
            journal.renew(job, stamp(number))
        else:
            journal = again(journal)
    before = _all_that_is_known(journal)
    assert _all_that_is_known(again(journal)) == before


def _all_that_is_known(journal: Journal) -> list[object]:
    return [
        (journal.trace(name), journal.started(name), journal.stamp(name))
        for name in ("a", "b", "c d", "é")
    ] + [journal.made()]


def test_a_journal_that_somebody_else_has_written_to_is_not_current(path: str) -> None:
    journal = Journal(path)
    assert journal.is_current()
    other = Journal(path)
    other.start("job")
    other.close()
    assert not journal.is_current()
    assert Journal(path).is_current()


# -- damage ---------------------------------------------------------------------------------------


def _written(path: str) -> tuple[bytes, list[int]]:
    """A journal of two jobs, and how long the file was after each of them."""
    journal = Journal(path)
    sizes = [len(HEADER)]
    for number, job in enumerate(("one", "two"), 1):
        journal.finish(
            job, trace((f"in {number}",), (job,), number=number), {job: stamp(number)}, {}
        )
        sizes.append(Path(path).stat().st_size)
    journal.close()
    return Path(path).read_bytes(), sizes


def _check(path: str, whole: int) -> None:
    """All jobs before the damage are known, the others not; and it can be written to."""
    journal = Journal(path)
    for number, job in enumerate(("one", "two"), 1):
        expected = trace((f"in {number}",), (job,), number=number) if number <= whole else None
        assert journal.trace(job) == expected, job
    journal.finish("new", trace(("in 1", "fresh"), ("new",)), {"new": stamp(9)}, {})
    journal = again(journal)
    assert journal.trace("new") == trace(("in 1", "fresh"), ("new",))
    assert journal.trace("two") is None or whole == 2
    if whole:
        assert journal.trace("one") == trace(("in 1",), ("one",), number=1)


def _damaged(
    path: str, damage: Callable[[bytes, int], bytes]
) -> tuple[list[tuple[int, str]], list[int]]:
    """The complaint for damage at each byte, and where the records end."""
    data, sizes = _written(path)
    out = []
    for offset in range(len(data)):
        Path(path).write_bytes(damage(data, offset))
        whole = sum(size <= offset for size in sizes[1:]) if offset >= len(HEADER) else 0
        out.append((offset, Journal(path).complaint))
        _check(path, whole)
    return out, sizes


def test_a_journal_cut_off_anywhere(path: str) -> None:
    found, sizes = _damaged(path, lambda data, offset: data[:offset])
    for offset, complaint in found:
        if offset not in sizes and offset:
            assert path in complaint, offset
        assert "\n" not in complaint


@pytest.mark.parametrize("mask", [0x01, 0xFF])
def test_a_journal_with_a_wrong_byte_anywhere(path: str, mask: int) -> None:
    def flip(data: bytes, offset: int) -> bytes:
        return data[:offset] + bytes([data[offset] ^ mask]) + data[offset + 1 :]

    for offset, complaint in _damaged(path, flip)[0]:
        assert path in complaint, offset
        assert "\n" not in complaint


@pytest.mark.parametrize(
    "data", [b"pybuild journal 0\n", b"\0" * 100, b"all: x\n", HEADER + b"\0" * 40, HEADER[:-1]]
)
def test_a_foreign_file_is_no_journal(path: str, data: bytes) -> None:
    Path(path).parent.mkdir()
    Path(path).write_bytes(data)
    assert path in Journal(path).complaint
    _check(path, 0)


def test_a_folder_in_place_of_the_journal_is_a_complaint(path: str) -> None:
    Path(path).mkdir(parents=True)
    assert path in Journal(path).complaint


def test_what_cannot_be_written_is_not_remembered(path: str) -> None:
    Path(path).parent.write_text("a file where the folder should be")
    journal = Journal(path)
    with pytest.raises(OSError):
        journal.finish("job", trace(), {}, {})
    assert journal.trace("job") is None
    Path(path).parent.unlink()
    journal.finish("job", trace(("b", "in")), {}, {})
    assert again(journal).trace("job") == trace(("b", "in"))


# -- stamps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mtime_ns", "age_ns", "settled"),
    [
        (5 * _SECOND + 1, 21 * _MS, True),
        (5 * _SECOND + 1, 20 * _MS + 1, True),
        (5 * _SECOND + 1, 20 * _MS - 1, False),
        (5 * _SECOND + 1, 1, False),
        (5 * _SECOND + 1, 0, False),
        (5 * _SECOND + 1, -_SECOND, False),
        (5 * _SECOND + 5 * _MS, 21 * _MS, True),
        (5 * _SECOND, 21 * _MS, False),
        (5 * _SECOND, 2 * _SECOND - 1, False),
        (5 * _SECOND, 2 * _SECOND + 1, True),
        (5 * _SECOND, -1, False),
    ],
)
def test_a_young_file_is_unsettled(mtime_ns: int, age_ns: int, settled: bool) -> None:
    found = stamp_of(Status(mtime_ns, 7, 9), b"d" * 16, mtime_ns + age_ns)
    assert found == Stamp(mtime_ns, 7, 9, b"d" * 16, settled)


@pytest.mark.parametrize(
    ("status", "fits"),
    [
        (Status(1, 2, 3), True),
        (Status(9, 2, 3), False),
        (Status(1, 9, 3), False),
        (Status(1, 2, 9), False),
    ],
)
def test_a_settled_stamp_fits_only_the_same_status(status: Status, fits: bool) -> None:
    assert Stamp(1, 2, 3, b"", True).fits(status) is fits
    assert not Stamp(1, 2, 3, b"", False).fits(status)


def test_a_stand_in_tells_times_and_sizes_apart() -> None:
    found = {
        stand_in(Status(time, size, 1)) for time in (-1, 0, 1, 2**62) for size in (0, 1, 2**40)
    }
    assert len(found) == 12
    assert {len(each) for each in found} == {DIGEST_SIZE}
