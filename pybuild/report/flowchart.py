"""Flow charts of a build: a small data model, and drawings of it in several formats.

``render`` turns a ``Chart`` into the bytes of one of ``FORMATS``. ``dot``, ``mermaid``, ``svg`` and
``html`` need nothing but Python; ``png`` and ``pdf`` are made by Graphviz's ``dot`` program.

The layout of ``svg`` and ``html`` is a layered drawing in the manner of K. Sugiyama, S. Tagawa and
M. Toda, "Methods for Visual Understanding of Hierarchical System Structures", IEEE Transactions on
Systems, Man, and Cybernetics 11(2), 1981: cut cycles, rank by longest path, bend long edges through
the ranks between, lessen crossings by barycenter sweeps, then choose coordinates. Coordinates come
from least-squares isotonic regression by pooling adjacent violators (M. Ayer and others, "An
Empirical Distribution Function for Sampling with Incomplete Information", 1955). Every step is
a loop whose work grows about linearly with nodes and edges, so that deep charts are no trouble.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from pybuild.typed import NamedTuple

FORMATS = ("dot", "svg", "png", "pdf", "html", "mermaid")


@dataclass(frozen=True, slots=True)
class Node:
    """One box of a chart.

    ``id`` is unique in its chart, ``label`` is the first line, ``detail`` the second or "";
    ``kind`` chooses the shape: rule, split, collate, phony, source or job; ``state`` the colour:
    up-to-date, stale, forced, target, unknown, source or failed; ``tooltip`` is further text.
    """

    id: str
    label: str
    detail: str
    kind: str
    state: str
    tooltip: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow between the nodes of these two ids; dashed when it only sets an order."""

    source: str
    target: str
    order_only: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A title, nodes with unique ids, and edges between them."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


class FlowchartError(Exception):
    """A chart could not be drawn: ``message`` says why, ``help`` what to do about it."""

    def __init__(self, message: str, help: str) -> None:
        """Take what went wrong and the advice that goes with it."""
        super().__init__(message)
        self.message = message
        self.help = help


class _Kind(NamedTuple):
    """How a kind of node is drawn: an SVG template, DOT attributes, Mermaid brackets."""

    svg: str
    dot: str
    mermaid: tuple[str, str]


class _State(NamedTuple):
    """How a state is coloured: fill, outline, fill on a dark page, and outline width."""

    fill: str
    line: str
    dark: str
    pen: float


_KINDS = {
    "rule": _Kind(
        '<rect width="{w}" height="{h}" rx="9"/>', 'shape=box, style="rounded,filled"', ("(", ")")
    ),
    "split": _Kind(
        '<path d="M0 13L20 0H{w}V{h}H20L0 {low}z"/>', "shape=trapezium, margin=0", ("[/", "\\]")
    ),
    "collate": _Kind(
        '<path d="M0 0H{notch}L{w} 13V{low}L{notch} {h}H0z"/>',
        "shape=invtrapezium, margin=0",
        ("[\\", "/]"),
    ),
    "phony": _Kind('<rect width="{w}" height="{h}" rx="{half}"/>', "shape=ellipse", ("([", "])")),
    "source": _Kind(
        '<path d="M0 0H{fold}L{w} 12V{h}H0zM{fold} 0V12H{w}"/>', "shape=note", ("[/", "/]")
    ),
    "job": _Kind('<rect width="{w}" height="{h}"/>', "shape=box", ("[", "]")),
}

# The outlines are the palette of Okabe and Ito, which people with any of the common kinds of
# colour blindness can tell apart; states with work to do also have a thicker outline.
_STATES = {
    "up-to-date": _State("#e0f4ec", "#009e73", "#0b3327", 1.5),
    "stale": _State("#fdf0d0", "#e69f00", "#42300a", 3.0),
    "forced": _State("#f8e3ee", "#cc79a7", "#43223a", 3.0),
    "target": _State("#c9e2f3", "#0072b2", "#0a3450", 3.0),
    "unknown": _State("#ededed", "#8a8a8a", "#2d3034", 1.5),
    "source": _State("#f0f9fe", "#56b4e9", "#15303f", 1.5),
    "failed": _State("#f9cbb2", "#d55e00", "#5a2503", 3.0),
}

_CLEANED: dict[int, str | None] = {
    **dict.fromkeys((*range(32), *range(127, 160), 0xFFFE, 0xFFFF)),
    **dict.fromkeys((0x0A, 0x0D, 0x2028, 0x2029), "\n"),
    0x09: " ",
}
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})

_SWEEPS = 8
_BENDS_PER_ITEM = 4
_BEND_PULL = 8.0
_LONGEST = 36
_HEIGHT = 46
_BEND_HEIGHT = 8
_APART = 18
_GAP = 64
_MARGIN = 26
_HEADER = 84
_LOOP = 28

# Light page, then dark page.
_PAGE = ("#ffffff", "#14181d")
_TEXT = ("#1d2329", "#e8ecf0")
_LINE = ("#6b7785", "#8e9aa8")
_FONT = "system-ui,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif"
# Labels are of fixed width so that the boxes can be sized without measuring any font.
_FIXED_FONT = "ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace"

_PAGE_STYLE = """
html,body{margin:0;height:100%}
body{display:flex;flex-direction:column}
header{padding:14px 26px 10px;border-bottom:1px solid #8886}
h1{font-size:19px;margin:0 0 8px}
p{font-size:12px;opacity:.7;margin:4px 0 0}
#chart{flex:1;min-height:0;width:100%;cursor:grab;touch-action:none}
.node,.edge{transition:opacity .12s}
.focus .node:not(.hot),.focus .edge:not(.hot){opacity:.15}
.focus .hot.edge{stroke:currentColor;stroke-width:2;marker-end:url(#hot-tip)}
#hot-tip{fill:currentColor}
"""

_SCRIPT = """
const svg = document.getElementById("chart"), view = svg.viewBox.baseVal;
const width = view.width, height = view.height, nodes = {}, into = {}, outOf = {};
const needed = () => Math.max(1, width / svg.clientWidth, height / svg.clientHeight);
function show(scale) {
  view.width = svg.clientWidth * scale;
  view.height = svg.clientHeight * scale;
  view.x = Math.min(0, (width - view.width) / 2);
  view.y = (height - view.height) / 2;
}
svg.addEventListener("wheel", event => {
  event.preventDefault();
  const at = new DOMPoint(event.clientX, event.clientY)
    .matrixTransform(svg.getScreenCTM().inverse());
  const factor = Math.exp(event.deltaY / 600);
  view.x = at.x - (at.x - view.x) * factor;
  view.y = at.y - (at.y - view.y) * factor;
  view.width *= factor;
  view.height *= factor;
}, {passive: false});
svg.addEventListener("pointermove", event => {
  if (!event.buttons) return;
  svg.setPointerCapture(event.pointerId);
  const scale = svg.getScreenCTM().a;
  view.x -= event.movementX / scale;
  view.y -= event.movementY / scale;
});
svg.addEventListener("dblclick", () => show(needed()));
for (const node of svg.querySelectorAll(".node")) nodes[node.dataset.n] = node;
for (const edge of svg.querySelectorAll(".edge")) {
  (into[edge.dataset.to] ??= []).push(edge);
  (outOf[edge.dataset.from] ??= []).push(edge);
}
function light(start, edges, far) {
  const seen = new Set([start]), todo = [start];
  while (todo.length) {
    for (const edge of edges[todo.pop()] ?? []) {
      edge.classList.add("hot");
      const next = edge.dataset[far];
      if (!seen.has(next)) todo.push(next);
      seen.add(next);
    }
  }
  for (const at of seen) nodes[at].classList.add("hot");
}
svg.addEventListener("pointerover", event => {
  const node = event.target.closest(".node");
  svg.classList.toggle("focus", !!node);
  for (const old of svg.querySelectorAll(".hot")) old.classList.remove("hot");
  if (!node) return;
  light(node.dataset.n, into, "from");
  light(node.dataset.n, outOf, "to");
});
svg.addEventListener("pointerleave", () => svg.classList.remove("focus"));
show(Math.min(3, needed()));
"""


def render(chart: Chart, format: str) -> bytes:
    """Return the chart in one of ``FORMATS``; text formats are UTF-8.

    Raises FlowchartError for a format, kind or state that is not known, an id used twice, an edge
    to a missing node, and for png and pdf when ``dot`` is missing, fails or takes too long.
    """
    _check(chart, format)
    if format in ("png", "pdf"):
        return _run_dot(_dot(chart), format)
    writers = {"dot": _dot, "svg": _svg, "html": _html, "mermaid": _mermaid}
    return writers[format](chart).encode()


def _check(chart: Chart, format: str) -> None:
    """Raise FlowchartError if the format is unknown or the chart contradicts itself."""
    if format not in FORMATS:
        raise FlowchartError(
            f"unknown chart format {format!r}", f"Use one of {', '.join(FORMATS)}."
        )
    ids: set[str] = set()
    for node in chart.nodes:
        if node.id in ids:
            raise FlowchartError(f"two nodes have the id {node.id!r}", "Give each its own id.")
        if node.kind not in _KINDS:
            raise FlowchartError(f"unknown kind {node.kind!r}", f"Use one of {', '.join(_KINDS)}.")
        if node.state not in _STATES:
            raise FlowchartError(
                f"unknown state {node.state!r}", f"Use one of {', '.join(_STATES)}."
            )
        ids.add(node.id)
    for edge in chart.edges:
        for end in (edge.source, edge.target):
            if end not in ids:
                raise FlowchartError(f"an edge names {end!r}, which is no node", "Add the node.")


# ---- text ----


def _clean(text: str) -> str:
    """Return the text without control characters but for line breaks; tabs become spaces.

    Undecodable bytes of a file name, which Python keeps as lone surrogates, become "?".
    """
    return text.replace("\r\n", "\n").encode(errors="replace").decode().translate(_CLEANED)


def _one_line(text: str) -> str:
    """Return the cleaned text on one line."""
    return _clean(text).replace("\n", " ")


def _xml(text: str) -> str:
    """Return the cleaned text escaped for an element or a double-quoted attribute."""
    return _clean(text).translate(_ESCAPED)


def _shortened(text: str) -> str:
    """Return the text on one line, its middle left out when it's too long for a box."""
    line = _one_line(text)
    if len(line) <= _LONGEST:
        return line
    tail = _LONGEST // 2
    return f"{line[: _LONGEST - tail - 1]}…{line[-tail:]}"


def _cells(text: str) -> int:
    """Return how many cells of a fixed-width font the text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _about(node: Node) -> str:
    """Return all that's known about a node, one fact a line, for its tooltip."""
    return "\n".join(part for part in (node.label, node.detail, node.state, node.tooltip) if part)


def _states(chart: Chart) -> list[str]:
    """Return the states that occur, in the palette's order."""
    found = {node.state for node in chart.nodes}
    return [state for state in _STATES if state in found]


def _both(node: Node) -> str:
    """Return the label and, where there is one, the detail on a line of its own."""
    return f"{node.label}\n{node.detail}" if node.detail else node.label


# ---- Graphviz and Mermaid ----


def _quoted(text: str) -> str:
    """Return the text as a DOT string that Graphviz shows as it is.

    Graphviz expands both backslash escapes and HTML entities in a label, so both are escaped.
    """
    text = _clean(text)
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("&", "&amp;"), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def _dot_look(state: str) -> str:
    """Return the DOT attributes of a state."""
    look = _STATES[state]
    return f'fillcolor="{look.fill}", color="{look.line}", penwidth={look.pen}'


def _dot(chart: Chart) -> str:
    """Return the chart as Graphviz text, with a row of boxes that explains the colours."""
    names = {node.id: f"n{number}" for number, node in enumerate(chart.nodes)}
    lines = [
        "digraph flowchart {",
        '  graph [rankdir=LR, labelloc=t, fontname="Helvetica", fontsize=18, ranksep=0.5,',
        f"    label={_quoted(chart.title)}];",
        '  node [style=filled, fontname="Helvetica", fontsize=11, margin="0.15,0.08"];',
        f'  edge [color="{_LINE[0]}", arrowsize=0.7];',
    ]
    for node in chart.nodes:
        look = f"{_KINDS[node.kind].dot}, {_dot_look(node.state)}"
        texts = f"label={_quoted(_both(node))}, tooltip={_quoted(_about(node))}"
        lines.append(f"  {names[node.id]} [{texts}, {look}];")
    for edge in chart.edges:
        dashed = " [style=dashed]" if edge.order_only else ""
        lines.append(f"  {names[edge.source]} -> {names[edge.target]}{dashed};")
    return "\n".join([*lines, *_dot_legend(_states(chart)), "}", ""])


def _dot_legend(states: Sequence[str]) -> Iterator[str]:
    """Yield the DOT lines of the legend, whose unseen arrows put it in a row."""
    yield '  subgraph cluster_legend { label=""; style=invis; edge [style=invis];'
    for state in states:
        yield f'    "{state}" [shape=box, height=0.25, {_dot_look(state)}];'
    for first, second in pairwise(states):
        yield f'    "{first}" -> "{second}";'
    yield "  }"


def _run_dot(text: str, format: str) -> bytes:
    """Return the picture that Graphviz makes of DOT text.

    Raises FlowchartError if the program is missing, fails, or runs for more than 60 seconds.
    """
    import shutil
    import subprocess

    program = shutil.which("dot")
    instead = "The formats svg and html are drawn without it"
    if program is None:
        raise FlowchartError(
            f"a {format} chart needs Graphviz's dot program, which is not on PATH",
            f"{instead}; on Debian the package graphviz gives dot: apt install graphviz.",
        )
    command = [program, f"-T{format}"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=60)
    except subprocess.TimeoutExpired as error:
        reason = _first_line(error.stderr)
        raise FlowchartError(f"dot took more than 60 seconds{reason}", f"{instead}.") from error
    except OSError as error:
        raise FlowchartError(f"dot could not be run: {error}", f"{instead}.") from error
    if done.returncode:
        reason = _first_line(done.stderr)
        raise FlowchartError(f"dot failed with code {done.returncode}{reason}", f"{instead}.")
    return done.stdout


def _first_line(output: bytes | None) -> str:
    """Return the first line of a program's output after a colon, or "" if there is none."""
    lines = (output or b"").decode(errors="replace").strip().splitlines()
    return f": {lines[0]}" if lines else ""


def _mermaid_text(text: str) -> str:
    """Return the text as a quoted Mermaid label that is shown as it is."""
    # Mermaid has no empty labels.
    pairs = pairwise(f"{_clean(text) or ' '}\n")
    return '"' + "".join(_mermaid_character(char, after) for char, after in pairs) + '"'


def _mermaid_character(char: str, after: str) -> str:
    """Return what shows a character in a Mermaid label, given the one after it.

    Mermaid also reads HTML, Markdown and comments there, so nearly every sign becomes a character
    code. Signs of file names stay inside a word, where they cannot start any of those.
    """
    if char == "\n":
        return "<br/>"
    if char.isalnum() or char == " " or (char in "._-/" and after.isalnum()):
        return char
    return f"#{ord(char)};"


def _mermaid(chart: Chart) -> str:
    """Return the chart as Mermaid text."""
    import json

    names = {node.id: f"n{number}" for number, node in enumerate(chart.nodes)}
    title = json.dumps(_one_line(chart.title), ensure_ascii=False)
    lines = ["---", f"title: {title}", "---", "flowchart LR"]
    for node in chart.nodes:
        opening, closing = _KINDS[node.kind].mermaid
        label = f"{opening}{_mermaid_text(_both(node))}{closing}"
        lines.append(f"  {names[node.id]}{label}:::{_mermaid_class(node.state)}")
    for edge in chart.edges:
        arrow = "-.->" if edge.order_only else "-->"
        lines.append(f"  {names[edge.source]} {arrow} {names[edge.target]}")
    return "\n".join([*lines, *_mermaid_legend(_states(chart)), ""])


def _mermaid_legend(states: Sequence[str]) -> Iterator[str]:
    """Yield the Mermaid lines of the legend, then those that set the colours."""
    yield "  subgraph Legend"
    for state in states:
        yield f'    {_mermaid_class(state)}["{state}"]:::{_mermaid_class(state)}'
    yield "  end"
    for state in states:
        look = _STATES[state]
        colours = f"fill:{look.fill},stroke:{look.line},stroke-width:{look.pen}px,color:{_TEXT[0]}"
        yield f"  classDef {_mermaid_class(state)} {colours}"


def _mermaid_class(state: str) -> str:
    """Return a name for a state that no Mermaid keyword can clash with."""
    return f"state_{state.replace('-', '_')}"


# ---- layout ----


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where all is, in pixels from the top left of the drawing.

    ``rank`` and ``y`` (the middle) are those of the nodes, then of the bends of long edges;
    ``left`` and ``right`` are the borders of each rank's column; ``routes`` has for each edge the
    nodes and bends it passes, from its source to its target.
    """

    rank: list[int]
    y: list[int]
    left: list[int]
    right: list[int]
    routes: list[list[int]]


def _lay_out(chart: Chart) -> _Layout:
    """Return the places of the chart's nodes and edges."""
    count = len(chart.nodes)
    number = {node.id: at for at, node in enumerate(chart.nodes)}
    pairs = [(number[edge.source], number[edge.target]) for edge in chart.edges]
    links: list[list[int]] = [[] for _ in range(count)]
    for source, target in pairs:
        links[source].append(target)
    order = _topological(links)
    rank = _ranks(order, links)
    routes = _routes(pairs, rank, _BENDS_PER_ITEM * (count + len(pairs)))
    layers: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for at in (*order, *range(count, len(rank))):
        layers[rank[at]].append(at)
    before, after = _neighbours(routes, rank)
    _untangle(layers, before, after)
    y = _heights(layers, before, after, count)
    widths = [max(_width(chart.nodes[at]) for at in layer if at < count) for layer in layers]
    return _Layout(rank, y, *_columns(widths, _gaps(routes, rank, y, len(layers))), routes)


def _topological(links: Sequence[Sequence[int]]) -> list[int]:
    """Return all nodes, each before those it links to but for links that close a cycle.

    This is depth-first search in reverse order of finishing, and a link whose target is not later
    than its source closes a cycle. Nodes that nothing links to come first to be searched from.
    """
    count = len(links)
    fed = [False] * count
    for target in (target for targets in links for target in targets):
        fed[target] = True
    seen = [False] * count
    finished: list[int] = []
    # Starts and links are taken backwards because the result is reversed: equals keep their order.
    starts = [at for at in reversed(range(count)) if not fed[at]]
    for root in (*starts, *range(count)):
        if not seen[root]:
            _search(root, links, seen, finished)
    finished.reverse()
    return finished


def _search(
    root: int, links: Sequence[Sequence[int]], seen: list[bool], finished: list[int]
) -> None:
    """Visit depth-first what can be reached from a node, adding each node once it's done."""
    seen[root] = True
    stack = [(root, reversed(links[root]))]
    while stack:
        at, rest = stack[-1]
        child = next((target for target in rest if not seen[target]), None)
        if child is None:
            finished.append(at)
            stack.pop()
        else:
            seen[child] = True
            stack.append((child, reversed(links[child])))


def _ranks(order: Sequence[int], links: Sequence[Sequence[int]]) -> list[int]:
    """Return each node's rank: its longest path from a start, starts being next to their use."""
    place = [0] * len(order)
    for at, node in enumerate(order):
        place[node] = at
    ahead = [[to for to in links[at] if place[to] > place[at]] for at in range(len(order))]
    rank = [0] * len(order)
    for node in order:
        for target in ahead[node]:
            rank[target] = max(rank[target], rank[node] + 1)
    for node in order:
        if rank[node] == 0 and ahead[node]:
            rank[node] = min(rank[target] for target in ahead[node]) - 1
    return rank


def _routes(pairs: Sequence[tuple[int, int]], rank: list[int], budget: int) -> list[list[int]]:
    """Return the way of each edge, adding to ``rank`` the ranks of the bends that are made.

    Edges from one source share bends, as branches of one line. Short edges get theirs first; once
    the budget of bends is spent, the longest edges go straight, which keeps the work linear.
    """
    routes = [list(pair) for pair in pairs]
    bends: dict[tuple[int, int], int] = {}
    spans = sorted((rank[target] - rank[source], at) for at, (source, target) in enumerate(pairs))
    for span, at in spans:
        budget -= max(span - 1, 0)
        if budget < 0:
            break
        source, target = pairs[at]
        between = [(source, level) for level in range(rank[source] + 1, rank[target])]
        for bend in between:
            if bend not in bends:
                bends[bend] = len(rank)
                rank.append(bend[1])
        routes[at] = [source, *(bends[bend] for bend in between), target]
    return routes


def _neighbours(
    routes: Sequence[Sequence[int]], rank: Sequence[int]
) -> tuple[list[list[int]], list[list[int]]]:
    """Return what each node or bend is joined to in earlier ranks, and in later ones."""
    before: list[list[int]] = [[] for _ in rank]
    after: list[list[int]] = [[] for _ in rank]
    for here, there in (step for route in routes for step in pairwise(route)):
        if rank[here] < rank[there]:
            after[here].append(there)
            before[there].append(here)
    return before, after


def _untangle(
    layers: Sequence[list[int]], before: Sequence[list[int]], after: Sequence[list[int]]
) -> None:
    """Sort each layer by the mean place of its neighbours, sweeping there and back."""
    spot = [0.0] * len(before)
    for layer in layers:
        _number(layer, spot)
    for sweep in range(_SWEEPS):
        near = after if sweep % 2 else before
        for layer in reversed(layers) if sweep % 2 else layers:
            mean = {at: _mean(near[at], spot, spot[at]) for at in layer}
            layer.sort(key=mean.__getitem__)
            _number(layer, spot)


def _number(layer: Sequence[int], spot: list[float]) -> None:
    """Set the places of a layer's members, evenly between 0 and 1."""
    for at, member in enumerate(layer):
        spot[member] = (at + 0.5) / len(layer)


def _mean(near: Sequence[int], values: Sequence[float], default: float) -> float:
    """Return the mean of the neighbours' values, or the default if there are no neighbours."""
    return sum(values[at] for at in near) / len(near) if near else default


def _heights(
    layers: Sequence[list[int]],
    before: Sequence[list[int]],
    after: Sequence[list[int]],
    count: int,
) -> list[int]:
    """Return the y of every node and bend: near the mean of its neighbours, none overlapping."""
    y = [0.0] * len(before)
    for sweep in range(_SWEEPS + 1):
        near = after if sweep % 2 else before
        for layer in reversed(layers) if sweep % 2 else layers:
            wanted = [_mean(near[at], y, y[at]) for at in layer]
            pull = [1.0 if at < count else _BEND_PULL for at in layer]
            sizes = [_HEIGHT + _APART if at < count else _BEND_HEIGHT + _APART for at in layer]
            for at, value in zip(layer, _spread(wanted, sizes, pull), strict=True):
                y[at] = value
    top = min(y, default=0.0) - _HEIGHT / 2
    return [round(value - top) for value in y]


def _spread(wanted: Sequence[float], sizes: Sequence[float], pull: Sequence[float]) -> list[float]:
    """Return places in the order given, apart by the sizes, with least weighted squared shift.

    Taking the sizes off turns "apart" into "not descending", and that is isotonic regression:
    neighbours that would descend are pooled and share their weighted mean.
    """
    middles = ((first + second) / 2 for first, second in pairwise(sizes))
    starts = list(accumulate(middles, initial=0.0))
    pools: list[tuple[float, float, int]] = []
    for want, start, weight in zip(wanted, starts, pull, strict=True):
        total, size = (want - start) * weight, 1
        while pools and pools[-1][0] * weight >= total * pools[-1][1]:
            earlier = pools.pop()
            total, weight, size = total + earlier[0], weight + earlier[1], size + earlier[2]
        pools.append((total, weight, size))
    flat = [total / weight for total, weight, size in pools for _ in range(size)]
    return [value + start for value, start in zip(flat, starts, strict=True)]


def _width(node: Node) -> int:
    """Return the width of a node's box, from those of its two lines of text."""
    label, detail = _cells(_shortened(node.label)), _cells(_shortened(node.detail))
    return 40 + round(max(44.0, 7.9 * label, 6.7 * detail))


def _gaps(
    routes: Sequence[Sequence[int]], rank: Sequence[int], y: Sequence[int], ranks: int
) -> list[int]:
    """Return the space after each rank, more where edges climb far so that none is too steep."""
    climb = [0] * ranks
    for here, there in (step for route in routes for step in pairwise(route)):
        if rank[here] < rank[there]:
            climb[rank[here]] = max(climb[rank[here]], abs(y[there] - y[here]))
    return [min(_GAP + height // 8, 3 * _GAP) for height in climb]


def _columns(widths: Sequence[int], gaps: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the left and the right border of each rank."""
    steps = (width + gap for width, gap in zip(widths, gaps, strict=True))
    left = list(accumulate(steps, initial=0))[: len(widths)]
    return left, [start + width for start, width in zip(left, widths, strict=True)]


# ---- SVG and HTML ----


def _svg(chart: Chart) -> str:
    """Return the chart as an SVG document that follows the reader's light or dark colours."""
    drawing, width, height = _drawing(chart)
    legend, legend_width = _legend(chart)
    title = _one_line(chart.title)
    width = max(width, 2 * _MARGIN + legend_width, 2 * _MARGIN + 11 * _cells(title))
    height += _HEADER
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"
 viewBox="0 0 {width} {height}" role="img" aria-label="{_xml(title)}">
<style>{_style(chart)}</style>
<rect class="page" width="{width}" height="{height}"/>
<text class="title" x="{_MARGIN}" y="38">{_xml(title)}</text>
<g transform="translate({_MARGIN} 56)">{legend}</g>
<g transform="translate(0 {_HEADER})">
{drawing}
</g>
</svg>
"""


def _html(chart: Chart) -> str:
    """Return the chart as one HTML page, to be moved about with the mouse."""
    drawing, width, height = _drawing(chart)
    legend, legend_width = _legend(chart)
    title = _xml(_one_line(chart.title))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{_style(chart)}{_PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<svg width="{legend_width}" height="18">{legend}</svg>
<p>Point at a box to see what it needs and what needs it. Drag to move, turn the wheel to zoom,
double-click to see all.</p>
</header>
<svg id="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">
{_arrow_head("hot-tip")}
{drawing}
</svg>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def _drawing(chart: Chart) -> tuple[str, int, int]:
    """Return the elements of the chart without title and legend, their width and their height."""
    layout = _lay_out(chart)
    number = {node.id: at for at, node in enumerate(chart.nodes)}
    lines = [_arrow_head("tip"), f'<g transform="translate({_MARGIN} {_MARGIN})">']
    for edge, route in zip(chart.edges, layout.routes, strict=True):
        lines.append(_edge_element(edge, number[edge.source], number[edge.target], route, layout))
    for at, node in enumerate(chart.nodes):
        lines.append(_node_element(node, at, layout))
    right, bottom = max(layout.right, default=0), max(layout.y, default=0) + _HEIGHT // 2
    return "\n".join([*lines, "</g>"]), right + 2 * _MARGIN, bottom + 2 * _MARGIN


def _arrow_head(name: str) -> str:
    """Return the marker element of an arrow's head."""
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5"'
        ' markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0 1L10 5L0 9z"/></marker>'
    )


def _node_element(node: Node, at: int, layout: _Layout) -> str:
    """Return the SVG group of a node: its tooltip, its shape and its lines of text."""
    left, right = layout.left[layout.rank[at]], layout.right[layout.rank[at]]
    sizes = {"w": right - left, "notch": right - left - 20, "fold": right - left - 12}
    shape = _KINDS[node.kind].svg.format(h=_HEIGHT, half=_HEIGHT // 2, low=_HEIGHT - 13, **sizes)
    texts = _text_element("label", node.label, sizes["w"], 20 if node.detail else 28)
    if node.detail:
        texts += _text_element("detail", node.detail, sizes["w"], 36)
    place = f"{left} {layout.y[at] - _HEIGHT // 2}"
    return (
        f'<g class="node" data-n="{at}" transform="translate({place})">'
        f'<title>{_xml(_about(node))}</title><g class="{node.state}">{shape}</g>{texts}</g>'
    )


def _text_element(name: str, text: str, width: int, y: int) -> str:
    """Return the SVG element of a line of text in the middle of a box."""
    return f'<text class="{name}" x="{width // 2}" y="{y}">{_xml(_shortened(text))}</text>'


def _edge_element(edge: Edge, source: int, target: int, route: list[int], layout: _Layout) -> str:
    """Return the SVG path of an edge."""
    back = layout.rank[target] <= layout.rank[source]
    path = _loop(source, target, layout) if back else _curve(route, layout)
    kind = f"edge{' order' if edge.order_only else ''}{' back' if back else ''}"
    return f'<path class="{kind}" data-from="{source}" data-to="{target}" d="{path}"/>'


def _curve(route: Sequence[int], layout: _Layout) -> str:
    """Return path data: level while it crosses a rank's column, bending only between columns."""
    parts = [f"M{layout.right[layout.rank[route[0]]]} {layout.y[route[0]]}"]
    for here, there in pairwise(route):
        right, left = layout.right[layout.rank[here]], layout.left[layout.rank[there]]
        middle, y = (right + left) // 2, layout.y[there]
        parts.append(f"C{middle} {layout.y[here]} {middle} {y} {left} {y}")
        if there != route[-1]:
            parts.append(f"H{layout.right[layout.rank[there]]}")
    return "".join(parts)


def _loop(source: int, target: int, layout: _Layout) -> str:
    """Return path data that leads back: over the node to itself, over all else to another."""
    right, left = layout.right[layout.rank[source]], layout.left[layout.rank[target]]
    begin, end = layout.y[source], layout.y[target]
    top = begin - _HEIGHT // 2 - 9 if source == target else -_MARGIN // 2
    return (
        f"M{right} {begin}C{right + _LOOP} {begin} {right + _LOOP} {top} {right} {top}"
        f"H{left}C{left - _LOOP} {top} {left - _LOOP} {end} {left} {end}"
    )


def _legend(chart: Chart) -> tuple[str, int]:
    """Return SVG elements that explain the colours and lines that occur, and their width."""
    entries = [
        (state, f'<rect class="{state}" x="1" y="2" width="20" height="13" rx="4"/>')
        for state in _states(chart)
    ]
    if any(edge.order_only for edge in chart.edges):
        entries.append(("order only", '<path class="edge order" d="M0 9H22"/>'))
    parts, x = [], 0
    for word, swatch in entries:
        text = f'<text class="word" x="29" y="13">{word}</text>'
        parts.append(f'<g transform="translate({x} 0)">{swatch}{text}</g>')
        x += 52 + 7 * len(word)
    return "".join(parts), x


def _style(chart: Chart) -> str:
    """Return the style sheet of a drawing, with the colours of the states that occur."""
    looks = [(state, _STATES[state]) for state in _states(chart)]
    light = "".join(
        f".{state}{{fill:{look.fill};stroke:{look.line};stroke-width:{look.pen / 1.25:.1f}}}"
        for state, look in looks
    )
    dark = "".join(f".{state}{{fill:{look.dark}}}" for state, look in looks)
    return (
        f"text,body{{font-family:{_FONT};font-size:12px}}.title{{font-size:19px;font-weight:600}}"
        f".node text{{text-anchor:middle}}.label{{font-family:{_FIXED_FONT};font-size:13px}}"
        ".detail{font-size:11px;opacity:.75}.edge{fill:none;stroke-width:1.4;marker-end:url(#tip)}"
        f".order{{stroke-dasharray:5 4}}{_inks(0)}{light}"
        f"@media (prefers-color-scheme:dark){{{_inks(1)}{dark}}}"
    )


def _inks(dark: int) -> str:
    """Return the style of page, text and lines, light (0) or dark (1)."""
    return (
        f".page{{fill:{_PAGE[dark]}}}text{{fill:{_TEXT[dark]}}}"
        f"body{{background:{_PAGE[dark]};color:{_TEXT[dark]}}}"
        f".edge{{stroke:{_LINE[dark]}}}#tip{{fill:{_LINE[dark]}}}"
    )
