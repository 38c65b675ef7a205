"""What comes of the rules of a project, as far as it can be told without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from pybuild.lsp.analysis import Place, Reader
from pybuild.lsp.buffers import Buffers
from pybuild.lsp.hints import inlay_hints
from pybuild.lsp.plan import Plan, plan_of, told
from pybuild.lsp.projects import EditedProject, Here
from pybuild.lsp.settings import Settings
from tests.lsp.test_texts import NOT_RUN


def plan(folder: Path, text: str) -> Plan:
    place = Place(str(folder), "Pipefile")
    return plan_of(place, {"Pipefile": text}, Reader(lambda _: False))


def errors(made: Plan) -> list[str]:
    return [each.code for each in made.diagnostics if each.severity == "error"]


@pytest.mark.parametrize("source", NOT_RUN)
def test_no_mistake_is_told_that_a_run_might_take_back(tmp_path: Path, source: str) -> None:
    (tmp_path / "lib.h").touch()
    assert errors(plan(tmp_path, source)) == []
    assert not (tmp_path / "pwned").exists()


def test_two_rules_for_one_file_are_told_whatever_else_is_not_known(tmp_path: Path) -> None:
    made = plan(
        tmp_path, "x = sh('ls')\nall: <x>\n    touch all\na:\n    touch a\na:\n    cp b a\n"
    )
    assert made.is_partial
    assert errors(made) == ["PB303"]


def test_jobs_files_and_captures(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.c").touch()
    made = plan(tmp_path, "objects: out/<n>.o: <n>.c\n    cc -c <input> -o <output>\n")
    (facts,) = made.rules.values()
    assert facts.total == 2
    assert [(each.outputs, each.inputs, each.captures) for each in facts.jobs] == [
        (("out/a.o",), ("a.c",), {"n": "a"}),
        (("out/b.o",), ("b.c",), {"n": "b"}),
    ]
    assert made.made == ("out/a.o", "out/b.o")
    assert "objects" in made.goals


@pytest.mark.parametrize(("tail", "told"), [("", ["1 job"]), ("x: <nothing>\n    true\n", [])])
def test_hints_say_nothing_of_jobs_that_a_mistake_keeps_unknown(
    tmp_path: Path, tail: str, told: list[str]
) -> None:
    (tmp_path / "a.c").touch()
    text = "objects: out/<n>.o: <n>.c\n    cc -c <input> -o <output>\n" + tail
    (tmp_path / "Pipefile").write_text(text)
    place, reader = Place(str(tmp_path), "Pipefile"), Reader(lambda _: False)
    project = EditedProject(place, Buffers(), reader)
    analysis = project.analysis()
    project.take(plan_of(place, {}, reader), analysis)
    here = Here(project, analysis, analysis.sheets["Pipefile"])
    whole = types.Range(types.Position(0, 0), types.Position(9, 0))
    assert [each.label for each in inlay_hints(here, whole, Settings())] == told


def test_one_job_with_its_recipe_and_reasons(tmp_path: Path) -> None:
    (tmp_path / "a b.c").touch()
    place = Place(str(tmp_path), "Pipefile")
    text = 'cc = "gcc"\nout/<n>.o: <n>.c\n    <cc> -c <input> -o <output>\n'
    found = told(place, {"Pipefile": text}, Reader(lambda _: False), "out/a b.o")
    assert found is not None
    assert found.recipe == "gcc -c 'a b.c' -o 'out/a b.o'"
    assert found.reasons is not None
    assert found.reasons[0] == "`out/a b.o` is not there"
    assert found.seconds is None


def test_complaints_about_files_stay_where_they_are_until_the_next_plan(tmp_path: Path) -> None:
    buffers, reader = Buffers(), Reader(lambda _: False)
    text = "a: no-a\n    cp no-a a\nb: no-b\n    cp no-b b\n"
    uri = (tmp_path / "Pipefile").as_uri()
    buffer = buffers.open(types.TextDocumentItem(uri, "pipefile", 1, text))
    project = EditedProject(Place(str(tmp_path), "Pipefile"), buffers, reader)
    project.take(plan(tmp_path, text), project.analysis())

    def places(now: str) -> list[tuple[str, str]]:
        buffer.change([types.TextDocumentContentChangeWholeDocument(now)], 2)
        project.forget()
        return [
            (each.code, now[each.span.start : each.span.end])
            for each in project.diagnostics()
            if each.span and each.severity == "error"
        ]

    both = [("PB305", "no-a"), ("PB305", "no-b")]
    assert places(text) == both
    assert places("# new\n" + text) == both
    assert places(text.replace("cp no-a a", "cp <input> a")) == both
    assert places(text.replace("a: no-a", "a: no-aa")) == both[1:]


def test_with_a_mistake_elsewhere_the_jobs_of_the_last_plan_are_known(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    text = "out/<n>: <n>.txt\n    cp <input> <output>\n"
    broken = text + "b:\n    echo <nothing>\n"
    assert plan(tmp_path, broken).rules == {}, "no rule is said to have no jobs"
    project = EditedProject(Place(str(tmp_path), "Pipefile"), Buffers(), Reader(lambda _: False))
    (tmp_path / "Pipefile").write_text(text, encoding="utf-8")
    for now in (text, broken):
        project.take(plan(tmp_path, now), project.analysis())
    assert project.plan is not None
    assert [each.total for each in project.plan.rules.values()] == [1]
    assert project.plan.made == ("out/a",)
    assert "PB201" in errors(project.plan)
