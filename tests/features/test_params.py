"""Values of `@params`: texts with placeholders are filled in for each job."""

from __future__ import annotations

import pytest

from .conftest import Sandbox


def test_a_text_is_filled_in_for_each_job(box: Sandbox) -> None:
    box.write(
        Pipefile="@params(name='<basename>_x', both=['<n>.1', 2, ('<n>', 3)])\n"
        "out: out/<n>.txt: in/<n>.txt\n    python:\n        output.write_text(f'{name} {both}')\n"
    )
    box.put("in/a.txt", "")
    box.put("in/b.txt", "")
    box.run()
    assert box.text("out/a.txt") == "a_x ['a.1', 2, ('a', 3)]"
    assert box.text("out/b.txt") == "b_x ['b.1', 2, ('b', 3)]"
    box.runs_nothing()


def test_in_a_script_its_placeholders_are_quoted_and_its_text_is_not(box: Sandbox) -> None:
    box.write(
        Pipefile="@params(options='-n <basename>', one=['<n> <n>'])\nout: out/<n>.txt: in/<n>.txt\n"
        '    printf "[%s]" <options> "<options>" <one> > <output>\n'
    )
    box.put("in/it's $a b.txt", "")
    box.run()
    name = "it's $a b"
    assert box.text(f"out/{name}.txt") == f"[-n][{name}][-n {name}][{name} {name}]"


def test_what_has_no_placeholder_stays_as_it_is(box: Sandbox) -> None:
    box.write(
        Pipefile="@params(text=r'\\<n> 1 < 2', number=1.5, table={'a': '<n>'}, many=[1, 'a'])\n"
        "out: out/<n>.txt: in/<n>.txt\n    python:\n"
        "        output.write_text(repr((text, number, table, many)))\n"
    )
    box.put("in/a.txt", "")
    box.run()
    assert box.text("out/a.txt") == "('<n> 1 < 2', 1.5, {'a': '<n>'}, [1, 'a'])"


def test_a_parameter_may_fill_in_a_target(box: Sandbox) -> None:
    box.write(
        Pipefile="@params(name='<n>_x')\nout: out/<name>.txt: in/<n>.txt\n"
        "    echo <name> > <output>\n"
    )
    box.put("in/a.txt", "")
    box.run()
    assert box.text("out/a_x.txt") == "a_x\n"


def test_the_variable_of_the_same_name_is_meant_inside(box: Sandbox) -> None:
    box.write(
        Pipefile="word ?= 'w'\n@params(word='<word>-<n>')\nout: out/<n>.txt: in/<n>.txt\n"
        "    echo <word> > <output>\n"
    )
    box.put("in/a.txt", "")
    box.run()
    assert box.text("out/a.txt") == "w-a\n"
    assert box.ran("word=v") == 1
    assert box.text("out/a.txt") == "v-a\n"


def test_the_filled_in_value_counts(box: Sandbox) -> None:
    text = "@params(name='<n>_{}')\nout: out/<n>.txt: in/<n>.txt\n    touch <output>\n"
    box.write(Pipefile=text.format("x"))
    box.put("in/a.txt", "")
    box.put("in/b.txt", "")
    box.run()
    box.write(Pipefile=text.format("y"))
    assert box.ran() == 2
    box.write(Pipefile=text.format("y").replace("<n>_", "<input.basename>_"))
    box.runs_nothing()


def test_only_jobs_whose_value_differs_run(box: Sandbox) -> None:
    text = (
        "python:\n    def of(n):\n        return {}\n"
        "@params(name='<of(n)>')\nout: out/<n>.txt: in/<n>.txt\n    echo <name> > <output>\n"
    )
    box.write(Pipefile=text.format("{'a': 1, 'b': 2}[n]"))
    box.put("in/a.txt", "")
    box.put("in/b.txt", "")
    box.run()
    box.runs_nothing()
    box.write(Pipefile=text.format("{'a': 1, 'b': 3}[n]"))
    assert box.ran() == 1
    assert box.text("out/b.txt") == "3\n"
    box.put("in/a.txt", "new")
    assert box.ran() == 1


def test_a_kept_graph_fills_in_the_same(box: Sandbox) -> None:
    box.write(
        Pipefile="@params(name='<basename>-<n>')\nout: out/<n>.txt: in/<n>.txt\n"
        "    echo <name> > <output>; cat <input> >> <output>\n"
    )
    box.put("in/a.txt", "1")
    box.run()
    box.runs_nothing()
    box.put("in/a.txt", "2")
    assert box.ran() == 1
    assert box.text("out/a.txt") == "a-a\n2"
    box.runs_nothing()


def test_a_variable_in_an_environment_variable_counts(box: Sandbox) -> None:
    box.write(
        Pipefile="flags ?= 'a'\n@env(FLAGS=r'<flags> \\<x>')\nout:\n    echo $FLAGS > <output>\n"
    )
    box.run()
    assert box.text("out") == "a <x>\n"
    assert box.ran("flags=b") == 1
    assert box.text("out") == "b <x>\n"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("x='<nowhere>'", "`<nowhere>` is not known here"),
        ("x=['<nowhere>']", "`<nowhere>` is not known here"),
        ("x='<input.size>'", "a file has no `size`"),
        ("x='<of>'", "`of` is a function"),
        ("x='<changed>'", "not known yet in `@params`"),
        ("y='1', x='<y>'", "`<y>` is not known here"),
        ("x='<other>'", "is no prerequisite of this rule"),
    ],
)
def test_mistakes(box: Sandbox, params: str, message: str) -> None:
    box.write(
        Pipefile="python:\n    def of(n):\n        return n\nother: other.txt:\n    touch <output>\n"
        f"@params({params})\nout: out/<n>.txt: in/<n>.txt\n    touch <output>\n"
    )
    box.put("in/a.txt", "")
    output = box.run("out", "other", status=2)
    assert message in output
    if "prerequisite" not in message:
        assert "Pipefile:6:1:" in output
    assert box.names("out*") == []
    assert box.names("*.txt") == []
