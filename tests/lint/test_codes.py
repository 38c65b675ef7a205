"""Each code is explained, and each explanation is of a code."""

from __future__ import annotations

import re
from pathlib import Path

from pybuild.report.codes import CODES, page_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "diagnostics.md"
# Told in the line of the job that failed, which has no codes.
WITHOUT = {"PB401"}


def sections() -> dict[str, str]:
    """The text below the heading of each code."""
    parts = re.split(r"(?m)^### (PB\d{3})$", PAGE.read_text("utf-8"))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def used() -> set[str]:
    """The codes that some module gives to a diagnostic."""
    texts = [
        path.read_text("utf-8")
        for path in (ROOT / "pybuild").rglob("*.py")
        if path.name != "codes.py"
    ]
    return set(re.findall(r'"(PB\d{3})"', "\n".join(texts)))


def test_the_page_has_the_codes_that_there_are() -> None:
    assert set(sections()) == used() == set(CODES)
    assert len(CODES) >= 50


def test_the_codes_are_in_order() -> None:
    assert list(sections()) == sorted(CODES) == list(CODES)


def test_each_section_causes_shows_and_cures_its_code() -> None:
    for code, text in sections().items():
        assert "$ pybuild" in text, code
        assert code in WITHOUT or f"[{code}]" in text, code
        cure = text.rpartition("```\n")[2].partition("\n## ")[0]
        assert len(cure.split()) >= 3, f"{code}: how is it cured?"


def test_the_address_of_a_section() -> None:
    address = page_of("PB101")
    assert address.startswith("file:///")
    assert address.endswith("diagnostics.md#pb101")
