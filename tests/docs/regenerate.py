"""Writes what the documentation takes from the code: `python tests/docs/regenerate.py`.

Puts the tables of options and attributes between their markers in docs/reference.md, and the index of
codes in docs/diagnostics.md. With names of pages as arguments it also runs these pages and puts what the commands print in place of output that
has changed (read the difference before you keep it).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from docpages import ROOT, Scratch, agrees, commands, sections

from pybuild.cli.options import OPTIONS
from pybuild.pipefile.attributes import ATTRIBUTES
from pybuild.report.codes import CODES

REFERENCE = ROOT / "docs" / "reference.md"
DIAGNOSTICS = ROOT / "docs" / "diagnostics.md"
GROUPS = (("make", "As in make"), ("pybuild", "Pybuild's own"))


def attribute_table() -> str:
    """All attributes, as a table."""
    rows = [(f"`{spec.usage}`", spec.meaning) for _, spec in sorted(ATTRIBUTES.items())]
    return _table(("attribute", "meaning"), rows)


def option_table(group: str, title: str) -> str:
    """The options of a group, as a table."""
    rows = [
        (", ".join(f"`{each}`" for each in option.usage.split(", ")), option.help)
        for option in OPTIONS
        if option.group == group
    ]
    return _table((title, "meaning"), rows)


def _table(heads: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|---|---|"]
    lines += [f"| {one.replace('|', chr(92) + '|')} | {other} |" for one, other in rows]
    return "\n".join(lines)


def with_tables(text: str) -> str:
    """A page with its tables as the code has them."""
    text = _between(text, "attributes", attribute_table())
    for group, title in GROUPS:
        text = _between(text, f"options {group}", option_table(group, title))
    return text


def with_codes(text: str) -> str:
    """A page with the index of all codes."""
    rows = [(f"[{code}](#{code.lower()})", title) for code, title in CODES.items()]
    return _between(text, "codes", _table(("code", "meaning"), rows))


def _between(text: str, name: str, table: str) -> str:
    start, end = f"<!-- {name} -->\n", f"\n<!-- end {name} -->"
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"there is no place for `{name}`")
    return before + start + table + end + after


def with_outputs(text: str) -> str:
    """A page with what its commands print now, where that differs from what it says."""
    lines: list[str | None] = list(text.split("\n"))
    extra: dict[int, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, section in enumerate(sections(text)):
            scratch = Scratch(Path(folder, str(number)), Path(folder, "bin"))
            for step in section.steps:
                if step.kind == "file":
                    scratch.write(step)
                elif step.kind == "run":
                    scratch.run(step.text)
                elif step.kind == "console":
                    for offset, command, expected in commands(step):
                        printed = scratch.run(command)[1]
                        if agrees(expected, printed, step.any_order):
                            continue
                        if any("pybuild/cli/main.py" in line for line in printed):
                            raise SystemExit(f"$ {command}\n" + "\n".join(printed))
                        head = step.line + offset + command.count("\n")
                        for index in range(head + 1, head + 1 + len(expected)):
                            lines[index] = None
                        extra[head] = printed
    out: list[str] = []
    for index, line in enumerate(lines):
        if line is not None:
            out.append(line)
        out += extra.get(index, [])
    return "\n".join(out)


def main() -> None:
    for page, renewed in ((REFERENCE, with_tables), (DIAGNOSTICS, with_codes)):
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
    for name in sys.argv[1:]:
        page = ROOT / name
        page.write_text(with_outputs(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
