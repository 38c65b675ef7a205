"""`--lint --format=sarif`: what the schema of SARIF 2.1.0 asks for."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from pybuild import __version__
from pybuild.report.sarif import as_log
from pybuild.source import Diagnostic, Edit, Fix, Note, Source, Span

from ..cli.conftest import Place

# The properties that the schema requires, by the definition of each object.
REQUIRED = {
    "log": ("version", "runs"),
    "run": ("tool",),
    "tool": ("driver",),
    "driver": ("name",),
    "rule": ("id",),
    "result": ("message",),
    "fix": ("artifactChanges",),
    "change": ("artifactLocation", "replacements"),
    "replacement": ("deletedRegion",),
}


def require(kind: str, data: dict[str, Any]) -> None:
    assert set(REQUIRED[kind]) <= set(data), kind


def check(log: dict[str, Any]) -> list[dict[str, Any]]:
    """Asserts that a log has what the schema requires; returns its results."""
    require("log", log)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    require("run", run)
    require("tool", run["tool"])
    driver = run["tool"]["driver"]
    require("driver", driver)
    assert (driver["name"], driver["version"]) == ("pybuild", __version__)
    assert run["columnKind"] == "unicodeCodePoints"
    ids = [each["id"] for each in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        require("rule", rule)
        assert rule["shortDescription"]["text"]
        assert urlsplit(rule["helpUri"]).scheme
    for result in run["results"]:
        require("result", result)
        assert result["message"]["text"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert ids[result["ruleIndex"]] == result["ruleId"]
        for location in (*result["locations"], *result.get("relatedLocations", ())):
            check_place(location["physicalLocation"])
        for fix in result.get("fixes", ()):
            require("fix", fix)
            for change in fix["artifactChanges"]:
                require("change", change)
                assert change["replacements"]
                for each in change["replacements"]:
                    require("replacement", each)
                    check_region(each["deletedRegion"])
    results = run["results"]
    assert isinstance(results, list)
    return results


def check_place(place: dict[str, Any]) -> None:
    uri = urlsplit(place["artifactLocation"]["uri"])
    assert uri.scheme == "file" or not (uri.scheme or uri.path.startswith("/"))
    check_region(place["region"])


def check_region(region: dict[str, int]) -> None:
    start = (region["startLine"], region["startColumn"])
    assert start >= (1, 1)
    assert (region["endLine"], region["endColumn"]) >= start


def test_a_project_with_mistakes_and_warnings(place: Place) -> None:
    place.put(
        Pipefile="unused = 1\ncopy: out/<s>.o: src/<s>.c\n    cp <inptu> $@\ninclude more/more.pipe\n"
    )
    place.write("more/more.pipe", "copy: x: y\n    cp <input> <output>\n")
    done = place.run("--lint", "--format=sarif", status=2)
    assert not done.stderr
    results = check(json.loads(done.stdout))
    places = {
        (
            each["ruleId"],
            each["level"],
            each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            each["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for each in results
    }
    assert places == {
        ("PB601", "warning", "Pipefile", 1),
        ("PB201", "error", "Pipefile", 3),
        ("PB501", "warning", "Pipefile", 3),
        ("PB202", "error", "more/more.pipe", 1),
    }
    second = next(each for each in results if each["ruleId"] == "PB202")
    (related,) = second["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "Pipefile"
    assert related["message"]["text"] == "the first one"


def test_nothing_wrong(place: Place) -> None:
    place.put(Pipefile="a:\n    touch <output>\n")
    assert check(json.loads(place.run("--lint", "--format=sarif").stdout)) == []


def test_no_pipefile_has_no_place(place: Place) -> None:
    (result,) = check(json.loads(place.run("--lint", "--format=sarif", status=2).stdout))
    assert (result["ruleId"], result["locations"]) == ("PB310", [])


def test_regions_count_code_points_and_names_are_escaped() -> None:
    source = Source("a b/\u00fc.pipe", "x = \U0001f600 <oops>\nnext\n")
    at = source.text.index("<oops>")
    span = Span(source, at, at + 6)
    fix = Fix("do it", (Edit(span, "<x>"), Edit(Span(source, 0, 0), "y")))
    diagnostic = Diagnostic("PB201", "no", span, (Note("here", span), Note("a fact")), fixes=(fix,))
    (result,) = check(as_log([diagnostic]))
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%C3%BC.pipe"
    region = {"startLine": 1, "startColumn": 7, "endLine": 1, "endColumn": 13}
    assert place["region"] == region
    (change,) = result["fixes"][0]["artifactChanges"]
    assert [each["insertedContent"]["text"] for each in change["replacements"]] == ["<x>", "y"]
    assert change["replacements"][0]["deletedRegion"] == region
    assert len(result["relatedLocations"]) == 1
