"""The flow charts: what is in each format, the layout's promises, and what happens without dot."""

import random
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from pybuild.report.flowchart import FORMATS, Chart, Edge, FlowchartError, Node, render

SVG = "{http://www.w3.org/2000/svg}"
TEXT_FORMATS = ("dot", "svg", "html", "mermaid")
KINDS = ("rule", "split", "collate", "phony", "source", "job")
STATES = ("up-to-date", "stale", "forced", "target", "unknown", "source", "failed")

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not here")

SAMPLE = Chart(
    "Reads & report",
    (
        Node("a", "samples.csv", "", "source", "source"),
        Node("b", "genome.fa", "2.1 GB", "source", "source"),
        Node("s", "split_samples", "1 job", "split", "up-to-date"),
        Node("t", "trim", "12 jobs", "rule", "stale", "4 of 12 are stale"),
        Node("m", "map", "12 jobs", "rule", "failed"),
        Node("c", "count", "12 to 1", "collate", "stale"),
        Node("d", "out/", "", "job", "up-to-date"),
        Node("x", "all", "", "phony", "target"),
    ),
    (
        Edge("a", "s"),
        Edge("s", "t"),
        Edge("t", "m"),
        Edge("b", "m"),
        Edge("m", "c"),
        Edge("c", "x"),
        Edge("s", "x"),
        Edge("d", "m", order_only=True),
    ),
)


def chart_of(count: int, pairs: list[tuple[int, int]]) -> Chart:
    """A chart with numbered nodes and edges between these pairs of numbers."""
    nodes = tuple(Node(str(at), f"step {at}", "", "rule", "stale") for at in range(count))
    return Chart("numbered", nodes, tuple(Edge(str(a), str(b)) for a, b in pairs))


def labelled(*labels: str) -> Chart:
    """A chart of unconnected nodes with these labels."""
    nodes = (Node(str(at), label, "", "rule", "stale") for at, label in enumerate(labels))
    return Chart("labels", tuple(nodes), ())


def parsed(chart: Chart) -> ET.Element:
    """The root of the chart's SVG."""
    return ET.fromstring(render(chart, "svg"))


def of_class(root: ET.Element, tag: str, name: str) -> list[ET.Element]:
    """The elements of this tag that have this class."""
    return [at for at in root.iter(SVG + tag) if name in at.get("class", "").split()]


def edges_of(root: ET.Element) -> list[ET.Element]:
    """The edges of the chart, without the legend's."""
    return [path for path in of_class(root, "path", "edge") if path.get("data-from")]


def places(root: ET.Element) -> dict[str, tuple[int, int]]:
    """The top left corner of each node's box, by the node's number."""
    found = {}
    for group in of_class(root, "g", "node"):
        left, top = group.attrib["transform"].removeprefix("translate(").strip(")").split()
        found[group.attrib["data-n"]] = (int(left), int(top))
    return found


def bezier(t: float, start: float, one: float, two: float, end: float) -> float:
    """One coordinate of a cubic curve, `t` of the way along."""
    u = 1 - t
    return u**3 * start + 3 * u * u * t * one + 3 * u * t * t * two + t**3 * end


def points_of(data: str) -> Iterator[tuple[float, float]]:
    """Points along a path of the commands M, C and H, close together."""
    x, y = 0.0, 0.0
    for step in data.replace("C", "|C").replace("H", "|H").split("|"):
        numbers = [float(number) for number in step[1:].split()]
        ends = [*numbers, y] if step[0] == "H" else numbers
        # A level line is a curve whose handles are its ends.
        bends = ends if step[0] == "C" else [x, y, *ends, *ends]
        for at in range(33) if step[0] != "M" else ():
            yield bezier(at / 32, x, *bends[0::2]), bezier(at / 32, y, *bends[1::2])
        x, y = ends[-2:]


def random_pairs(seed: int, count: int) -> list[tuple[int, int]]:
    """Twice as many edges as nodes, all from a lower number to a higher one."""
    choose = random.Random(seed)
    return [(choose.randrange(max(0, at - 9), at), at) for at in range(1, count) for _ in range(2)]


def test_svg_has_every_node_and_edge() -> None:
    root = parsed(SAMPLE)
    assert [text.text for text in of_class(root, "text", "label")] == [
        node.label for node in SAMPLE.nodes
    ]
    assert [text.text for text in of_class(root, "text", "detail")] == [
        node.detail for node in SAMPLE.nodes if node.detail
    ]
    assert len(edges_of(root)) == len(SAMPLE.edges)
    assert of_class(root, "text", "title")[0].text == SAMPLE.title


def test_svg_joins_the_nodes_that_the_edges_name() -> None:
    number = {node.id: str(at) for at, node in enumerate(SAMPLE.nodes)}
    drawn = [(path.get("data-from"), path.get("data-to")) for path in edges_of(parsed(SAMPLE))]
    assert drawn == [(number[edge.source], number[edge.target]) for edge in SAMPLE.edges]


def test_svg_edges_begin_and_end_at_their_boxes() -> None:
    root = parsed(chart_of(30, random_pairs(4, 30)))
    corner = places(root)
    for path in edges_of(root):
        numbers = path.attrib["d"].replace("C", " ").replace("H", " ").strip("M").split()
        left, top = corner[path.attrib["data-to"]]
        assert [int(number) for number in numbers[-2:]] == [left, top + 23]
        assert int(numbers[1]) == corner[path.attrib["data-from"]][1] + 23


@pytest.mark.parametrize("seed", range(4))
def test_svg_edges_run_through_no_box(seed: int) -> None:
    root = parsed(chart_of(40, [*random_pairs(seed, 40), (30, 2), (5, 5)]))
    width = {
        group.attrib["data-n"]: int(group[1][0].attrib["width"])
        for group in of_class(root, "g", "node")
    }
    boxes = [(left, top, left + width[at], top + 46) for at, (left, top) in places(root).items()]
    for path in edges_of(root):
        for x, y in points_of(path.attrib["d"]):
            assert not any(
                left < x < right and top < y < bottom for left, top, right, bottom in boxes
            )


def test_svg_tooltip_tells_all() -> None:
    tips = [group.findtext(SVG + "title") for group in of_class(parsed(SAMPLE), "g", "node")]
    assert tips[3] == "trim\n12 jobs\nstale\n4 of 12 are stale"


def test_svg_dashes_only_order_only_edges() -> None:
    dashed = [path for path in edges_of(parsed(SAMPLE)) if "order" in path.attrib["class"].split()]
    assert [(path.get("data-from"), path.get("data-to")) for path in dashed] == [("6", "4")]


@pytest.mark.parametrize("states", [("stale",), ("failed", "up-to-date"), STATES])
def test_legend_shows_the_states_that_occur(states: tuple[str, ...]) -> None:
    nodes = tuple(Node(state, "name", "", "rule", state) for state in states)
    root = parsed(Chart("legend", nodes, ()))
    words = [text.text for text in of_class(root, "text", "word")]
    assert words == [state for state in STATES if state in states]


def test_legend_explains_dashes_when_there_are_any() -> None:
    words = [text.text for text in of_class(parsed(SAMPLE), "text", "word")]
    assert words[-1] == "order only"


def test_kinds_have_different_shapes() -> None:
    nodes = tuple(Node(kind, "same", "", kind, "stale") for kind in KINDS)
    groups = of_class(parsed(Chart("kinds", nodes, ())), "g", "node")
    shapes = {ET.tostring(group[1], encoding="unicode") for group in groups}
    assert len(shapes) == len(KINDS)


def test_states_have_different_colours() -> None:
    nodes = tuple(Node(state, "same", "", "rule", state) for state in STATES)
    text = render(Chart("states", nodes, ()), "dot").decode()
    fills = {line.split("fillcolor=")[1] for line in text.splitlines() if "tooltip" in line}
    assert len(fills) == len(STATES)


@pytest.mark.parametrize("label", ["a<b>&c", "\"quoted\" 'too'", "]]> -->", "漢字 é 😀", "\\N \\"])
def test_svg_shows_awkward_labels_as_they_are(label: str) -> None:
    root = parsed(labelled(label))
    assert of_class(root, "text", "label")[0].text == label
    assert (of_class(root, "g", "node")[0].findtext(SVG + "title") or "").split("\n")[0] == label


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("a\x00b\x1b[1m\x7f\x85", "ab[1m"),
        ("tab\there", "tab here"),
        ("two\nlines\r\nor\rmore", "two lines or more"),
        ("byte \udcff", "byte ?"),
        ("\ufffe\uffff.", "."),
    ],
)
def test_svg_has_no_control_characters(label: str, shown: str) -> None:
    assert of_class(parsed(labelled(label)), "text", "label")[0].text == shown


@pytest.mark.parametrize("format", TEXT_FORMATS)
def test_every_text_field_is_escaped_in_every_format(format: str) -> None:
    bad = '\x01<script>"&\\\udc80'
    chart = Chart(bad, (Node(bad, bad, bad, "rule", "stale", bad),), (Edge(bad, bad),))
    text = render(chart, format).decode()
    assert "\x01" not in text
    if format in ("svg", "html"):
        assert '<script>"' not in text
        assert "&lt;script&gt;&quot;&amp;\\?" in text


def test_long_labels_are_shortened_but_whole_in_the_tooltip() -> None:
    label = "results/" + "x" * 80 + "/end.txt"
    root = parsed(labelled(label))
    shown = of_class(root, "text", "label")[0].text or ""
    assert shown.startswith("results/") and shown.endswith("/end.txt") and "…" in shown
    assert len(shown) == 36
    assert label in (of_class(root, "g", "node")[0].findtext(SVG + "title") or "")


@pytest.mark.parametrize(
    ("label", "quoted"),
    [
        ('say "hi"', '"say \\"hi\\""'),
        ("back\\slash\\", '"back\\\\slash\\\\"'),
        ("two\nlines", '"two\\nlines"'),
        ("&lt; & <b>", '"&amp;lt; &amp; <b>"'),
        ("漢字\x07", '"漢字"'),
        ("<html>", '"<html>"'),
    ],
)
def test_dot_quotes(label: str, quoted: str) -> None:
    assert f"n0 [label={quoted}, " in render(labelled(label), "dot").decode()


def test_dot_has_every_edge() -> None:
    lines = render(SAMPLE, "dot").decode().splitlines()
    assert "  n0 -> n2;" in lines
    assert "  n6 -> n4 [style=dashed];" in lines
    assert sum(line.startswith("  n") and " -> " in line for line in lines) == len(SAMPLE.edges)


@pytest.mark.parametrize(
    ("label", "written"),
    [
        ('say "hi"', "say #34;hi#34;"),
        ("#quot; &lt;", "#35;quot#59; #38;lt#59;"),
        ("`code` \\n", "#96;code#96; #92;n"),
        ("1. list", "1#46; list"),
        ("- item", "#45; item"),
        ("a--b", "a#45;-b"),
        ("%%{init}%%", "#37;#37;#123;init#125;#37;#37;"),
        ("out/my_file.v2-1.txt", "out/my_file.v2-1.txt"),
        ("two\nlines", "two<br/>lines"),
        ("end", "end"),
        ("", " "),
        ("é 漢\x02", "é 漢"),
    ],
)
def test_mermaid_escapes(label: str, written: str) -> None:
    assert f'  n0("{written}"):::state_stale\n' in render(labelled(label), "mermaid").decode()


def test_mermaid_has_direction_title_and_edges() -> None:
    lines = render(SAMPLE, "mermaid").decode().splitlines()
    assert lines[:4] == ["---", 'title: "Reads & report"', "---", "flowchart LR"]
    assert "  n0 --> n2" in lines
    assert "  n6 -.-> n4" in lines
    assert sum("-->" in line or "-.->" in line for line in lines) == len(SAMPLE.edges)


@pytest.mark.parametrize("seed", range(6))
def test_forward_edges_go_rightwards_and_boxes_are_apart(seed: int) -> None:
    root = parsed(chart_of(80, random_pairs(seed, 80)))
    corner = places(root)
    for path in edges_of(root):
        assert "back" not in path.attrib["class"].split()
        assert corner[path.attrib["data-from"]][0] < corner[path.attrib["data-to"]][0]
    columns: dict[int, list[int]] = {}
    for left, top in corner.values():
        columns.setdefault(left, []).append(top)
    for tops in map(sorted, columns.values()):
        assert all(below - above > 46 for above, below in pairwise(tops))


def test_everything_is_inside_the_picture() -> None:
    root = parsed(SAMPLE)
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    for left, top in places(root).values():
        assert 0 <= left < width - 84 and 0 <= top < height - 46


def test_sweeps_remove_needless_crossings() -> None:
    pairs = [(0, 6), (1, 7), (2, 8), (3, 6), (4, 7), (5, 8)]
    top = {int(number): place[1] for number, place in places(parsed(chart_of(9, pairs))).items()}
    crossed = [
        (first, second)
        for first, second in combinations(pairs, 2)
        if (top[first[0]] - top[second[0]]) * (top[first[1]] - top[second[1]]) < 0
    ]
    assert crossed == []


def test_children_keep_their_order() -> None:
    corner = places(parsed(chart_of(5, [(0, 1), (0, 2), (0, 3), (0, 4)])))
    tops = [corner[str(at)][1] for at in range(1, 5)]
    assert tops == sorted(set(tops))


def test_wide_fans_get_more_room_than_chains() -> None:
    fan = places(parsed(chart_of(31, [(0, at) for at in range(1, 31)])))
    chain = places(parsed(chart_of(2, [(0, 1)])))
    assert fan["1"][0] > chain["1"][0]


def test_sources_stand_next_to_what_uses_them() -> None:
    corner = places(parsed(chart_of(5, [(0, 1), (1, 2), (2, 3), (4, 3)])))
    assert corner["4"][0] == corner["2"][0]


@pytest.mark.parametrize(
    ("count", "pairs", "back"),
    [
        (1, [(0, 0)], 1),
        (2, [(0, 1), (1, 0)], 1),
        (4, [(0, 1), (1, 2), (2, 3), (3, 1)], 1),
        (3, [(a, b) for a in range(3) for b in range(3)], 6),
    ],
)
def test_cycles_are_drawn(count: int, pairs: list[tuple[int, int]], back: int) -> None:
    root = parsed(chart_of(count, pairs))
    corner = places(root)
    assert len(corner) == count and len(edges_of(root)) == len(pairs)
    backward = [path for path in edges_of(root) if "back" in path.attrib["class"].split()]
    assert len(backward) == back
    for path in backward:
        assert corner[path.attrib["data-from"]][0] >= corner[path.attrib["data-to"]][0]


def test_deep_chain() -> None:
    deep = 20_000
    corner = places(parsed(chart_of(deep, [(at, at + 1) for at in range(deep - 1)])))
    lefts = [corner[str(at)][0] for at in range(deep)]
    assert lefts == sorted(set(lefts))


def test_long_edges_do_not_multiply_the_work() -> None:
    deep = 3_000
    pairs = [(at, at + 1) for at in range(deep - 1)] + [(0, at) for at in range(2, deep)]
    root = parsed(chart_of(deep, pairs))
    assert len(edges_of(root)) == len(pairs)
    assert sum(path.attrib["d"].count("C") for path in edges_of(root)) < 10 * len(pairs)


@pytest.mark.parametrize("format", TEXT_FORMATS)
def test_the_same_chart_gives_the_same_bytes(format: str) -> None:
    chart = chart_of(60, random_pairs(1, 60))
    again = chart_of(60, random_pairs(1, 60))
    assert render(chart, format) == render(again, format)


@pytest.mark.parametrize("format", TEXT_FORMATS)
def test_an_empty_chart_is_drawn(format: str) -> None:
    assert render(Chart("nothing", (), ()), format)


class _Page(HTMLParser):
    """Collects the tags of a page, the addresses it names, and its title."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_html_is_one_page_without_outside_resources() -> None:
    text = render(SAMPLE, "html").decode()
    page = _Page(text)
    assert page.addresses == [] and "link" not in page.tags
    assert "//" not in text and "@import" not in text
    assert "prefers-color-scheme" in text


def test_html_embeds_the_chart() -> None:
    text = render(SAMPLE, "html").decode()
    begin = text.index('<svg id="chart"')
    chart = text[begin : text.index("</svg>", begin) + 6]
    root = ET.fromstring(chart.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    assert len(of_class(root, "g", "node")) == len(SAMPLE.nodes)
    assert len(edges_of(root)) == len(SAMPLE.edges)


@pytest.mark.parametrize(
    ("chart", "format", "words"),
    [
        (SAMPLE, "gif", "gif"),
        (Chart("t", SAMPLE.nodes + SAMPLE.nodes[:1], ()), "svg", "two nodes have the id 'a'"),
        (Chart("t", SAMPLE.nodes, (Edge("a", "zz"),)), "dot", "'zz'"),
        (Chart("t", (Node("a", "a", "", "circle", "stale"),), ()), "svg", "'circle'"),
        (Chart("t", (Node("a", "a", "", "rule", "odd"),), ()), "mermaid", "'odd'"),
    ],
)
def test_contradictions_are_refused(chart: Chart, format: str, words: str) -> None:
    with pytest.raises(FlowchartError) as caught:
        render(chart, format)
    assert words in caught.value.message
    assert caught.value.help


@pytest.mark.parametrize("format", ["png", "pdf"])
def test_missing_dot_is_explained(
    format: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FlowchartError) as caught:
        render(SAMPLE, format)
    assert format in caught.value.message and "PATH" in caught.value.message
    assert all(word in caught.value.help for word in ("svg", "html", "graphviz"))


@pytest.mark.parametrize("format", TEXT_FORMATS)
def test_the_other_formats_need_no_dot(
    format: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert render(SAMPLE, format)


def test_a_failing_dot_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho 'no such thing' >&2\necho more >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FlowchartError) as caught:
        render(SAMPLE, "png")
    assert caught.value.message == "dot failed with code 3: no such thing"


def test_a_dot_that_cannot_be_run_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "dot"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FlowchartError, match="could not be run"):
        render(SAMPLE, "pdf")


def test_a_slow_dot_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import subprocess

    def too_slow(command: list[str], **options: object) -> None:
        assert options["timeout"] == 60
        raise subprocess.TimeoutExpired(command, 60, stderr=b"still busy\n")

    (tmp_path / "dot").write_text("")
    (tmp_path / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", too_slow)
    with pytest.raises(FlowchartError) as caught:
        render(SAMPLE, "png")
    assert caught.value.message == "dot took more than 60 seconds: still busy"


@needs_dot
@pytest.mark.parametrize(("format", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_dot_makes_pictures(format: str, magic: bytes) -> None:
    assert render(SAMPLE, format).startswith(magic)


@needs_dot
@pytest.mark.parametrize(
    "label", ['"', "a\\N\\", "&amp; <b>", "\\", '\\"', "漢字 é", "<", "two\nlines", "\\n"]
)
def test_dot_shows_labels_as_they_are(label: str) -> None:
    import subprocess

    text = render(labelled(label), "dot")
    done = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, check=True)
    assert done.stderr == b""
    group = of_class(ET.fromstring(done.stdout), "g", "node")[0]
    shown = [(text.text or "").replace("\xa0", " ") for text in group.iter(SVG + "text")]
    assert "\n".join(shown) == label


def test_formats_are_the_six() -> None:
    assert FORMATS == ("dot", "svg", "png", "pdf", "html", "mermaid")
