"""What a block of Python returns: a figure is saved, anything else is a mistake."""

from __future__ import annotations

import pytest

from .conftest import Sandbox


def test_a_returned_figure_is_saved(box: Sandbox) -> None:
    """To the first output that the block has not written; the format goes by the name."""
    pytest.importorskip("matplotlib")
    text = """python:
    def drawn(values):
        from matplotlib.figure import Figure
        figure = Figure()
        axes = figure.subplots()
        axes.plot(values)
        return axes
all: a.png b.svg c.pdf plot.png
a.png: data
    python:
        return drawn([1, 2]).figure
b.svg: data
    python:
        return drawn([1, 2])
@atomic
c.pdf: data
    python:
        import matplotlib.pyplot as plt
        plt.plot([1, 2])
        if input.read_text():
            return plt.gcf()
table.csv plot.png &: data
    python:
        outputs[0].write_text("1,2")
        return drawn([1, 2])
"""
    box.write(Pipefile=text, data="1")
    output = box.run()
    assert "4 ran" in output
    starts = {"a.png": b"\x89PNG", "b.svg": b"<?xml", "c.pdf": b"%PDF", "plot.png": b"\x89PNG"}
    for name, start in starts.items():
        assert (box.folder / name).read_bytes().startswith(start)
    assert box.text("table.csv") == "1,2"
    box.runs_nothing()
    box.write(Pipefile=text.replace("[1, 2]).figure", "[2, 2]).figure"))
    assert box.ran() == 1


def test_what_can_save_itself_is_saved(box: Sandbox) -> None:
    text = """python:
    class Chart:
        def save(self, name):
            open(name, "w").write("chart")
old new &: source
    echo again | tee old new
    python:
        return Chart()
"""
    box.write(Pipefile=text, source="")
    box.run("old")
    assert (box.text("old"), box.text("new")) == ("chart", "again\n")


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (
            "{}",
            "`b` failed: the block returned an object of type dict: only a figure can be returned",
        ),
        ("0", "`b` failed: the block returned an object of type int"),
        ("Chart()", "`b` failed: RuntimeError: no"),
        ("output.write_text('x')", "the block returned an object of type int"),
    ],
)
def test_what_cannot_be_saved_is_a_failure(box: Sandbox, returned: str, said: str) -> None:
    text = f"""python:
    class Chart:
        def save(self, name):
            raise RuntimeError("no")
b: a
    python:
        return {returned}
"""
    box.write(Pipefile=text, a="")
    assert said in box.run(status=2)
    box.write(Pipefile=text.replace(f"return {returned}", "output.write_text(''); return"))
    assert box.ran() == 1


def test_a_figure_without_a_place(box: Sandbox) -> None:
    text = """python:
    class Chart:
        def save(self, name):
            pass
all: <written> <parts>
written: b: a
    python:
        output.write_text("mine")
        return Chart()
split parts: part/*: a
    python:
        return Chart()
"""
    box.write(Pipefile=text, a="")
    output = box.run("-k", status=2)
    assert "`b` failed: the block returned a figure and wrote all outputs itself" in output
    assert "the block returned a figure, and its job has no output that is known before" in output
    assert box.text("b") == "mine"
