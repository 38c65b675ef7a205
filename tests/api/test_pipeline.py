"""Pipelines written in Python, as their authors run them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HEAD = """\
import json, sys
from pathlib import Path
from pybuild import JobsFailed, Pipeline, PipelineError

pipeline = Pipeline()


def show(result):
    print("RESULT", json.dumps([sorted(result.ran), result.up_to_date, dict(result.failures)]))


"""
UPPER = """\
@pipeline.rule("all.txt", "sum/*.txt")
def everything(inputs, output):
    output.write_text("".join(each.read_text() for each in inputs))


@pipeline.rule("up/<s>_<n>.txt", "in/<s>_<n>.txt")
def upper(input, output):
    output.write_text(input.read_text().upper())


@pipeline.collate("sum/<s>.txt", "up/<s>_<n>.txt")
def total(inputs, output, s, n, mark="-"):
    output.write_text(f"{s}{mark}{n}:" + "".join(each.read_text() for each in inputs) + ";")


"""
Script = Callable[..., str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Runs a script in a folder with three sources; what it prints has to hold no traceback."""
    for name in ("a_1", "a_2", "b_1"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / f"in/{name}.txt").write_text(name[0] + name[-1])

    def run(text: str, *words: str, status: int = 0) -> str:
        (tmp_path / "script.py").write_text(HEAD + text)
        done = subprocess.run(
            [sys.executable, "script.py", *words],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    return run


def results(output: str) -> list[Any]:
    lines = [line for line in output.splitlines() if line.startswith("RESULT ")]
    return [json.loads(line.removeprefix("RESULT ")) for line in lines]


def test_functions_are_rules(script: Script, tmp_path: Path) -> None:
    run = "show(pipeline.run())\nshow(pipeline.run())\n"
    first, second = results(script(UPPER + run))
    made = ["all.txt", "sum/a.txt", "sum/b.txt", "up/a_1.txt", "up/a_2.txt", "up/b_1.txt"]
    assert first == [made, 0, {}]
    assert second == [[], 6, {}]
    assert (tmp_path / "all.txt").read_text() == "a-['1', '2']:A1A2;b-1:B1;"
    (tmp_path / "in/b_1.txt").write_text("new")
    assert results(script(UPPER + run))[0][0] == ["all.txt", "sum/b.txt", "up/b_1.txt"]


def test_functions_stay_callable_and_count_by_their_code(script: Script, tmp_path: Path) -> None:
    call = "upper(Path('in/a_1.txt'), Path('by_hand.txt'))\nshow(pipeline.run())\n"
    script(UPPER + call)
    assert (tmp_path / "by_hand.txt").read_text() == "A1"
    same = UPPER.replace("def total", "# a remark\ndef total").replace('mark="-"', "mark='-'")
    assert results(script(same + call))[0][0] == []
    other = UPPER.replace('mark="-"', 'mark="+"')
    assert results(script(other + call))[0][0] == ["all.txt", "sum/a.txt", "sum/b.txt"]
    moved = other.replace('"sum/<s>.txt", "up', '"sum/<s>.txt","up')  # in the decorator
    assert results(script(moved + call))[0][0] == []


def test_a_helper_that_a_function_calls_counts(script: Script) -> None:
    calling = UPPER.replace(".upper()", ".upper() + helper()")
    text = "def helper():\n    return '?'\n\n\n" + calling + "show(pipeline.run(['up/a_1.txt']))\n"
    assert results(script(text))[0][0] == ["up/a_1.txt"]
    assert results(script(text))[0][0] == []
    assert results(script(text.replace("'?'", "'!'")))[0][0] == ["up/a_1.txt"]


def test_targets_by_function_rule_and_file(script: Script) -> None:
    text = UPPER + (
        "show(pipeline.run([upper]))\n"
        "show(pipeline.run(pipeline['total']))\n"
        "show(pipeline.run('all.txt'))\n"
        "show(pipeline.run(total, force=[upper]))\n"
    )
    ran = [each[0] for each in results(script(text))]
    ups = ["up/a_1.txt", "up/a_2.txt", "up/b_1.txt"]
    assert ran == [ups, ["sum/a.txt", "sum/b.txt"], ["all.txt"], ups]


def test_shell_recipes_tasks_and_variables(script: Script, tmp_path: Path) -> None:
    text = (
        "pipeline.variables.update(mark='!', sources=['in/a_1.txt', 'in/b_1.txt'])\n"
        "pipeline.rule('out.txt', '<sources>', recipe='''\n"
        "    cat <inputs> > <output>\n"
        "    echo <mark> >> <output>\n"
        "''', name='out', env={'X': '1'})\n"
        "pipeline.task('clean', recipe='rm -f out.txt')\n"
        "pipeline.rule('named.txt', {'a': 'in/a_1.txt'}, recipe='cat <a> > <output>')\n"
        "pipeline.main()\n"
    )
    script(text)
    assert (tmp_path / "out.txt").read_text() == "a1b1!\n"
    assert "up to date" in script(text)
    script(text.replace("'!'", "'?'"))
    assert (tmp_path / "out.txt").read_text() == "a1b1?\n"
    script(text, "clean")
    assert not (tmp_path / "out.txt").exists()
    script(text, "named.txt")
    assert (tmp_path / "named.txt").read_text() == "a1"


def test_splits_products_and_tuples(script: Script, tmp_path: Path) -> None:
    text = (
        "@pipeline.rule('joined.txt', 'pair/*', 'cross/*', 'low/*')\n"
        "def joined(inputs, output):\n"
        "    output.write_text(' '.join(each.name for each in inputs))\n"
        "pipeline.split('part/*.txt', 'in/a_1.txt', name='part',\n"
        "    recipe='for x in u v w; do echo $x > part/$x.txt; done')\n"
        "@pipeline.combinations(2, 'pair/<inputs[0].basename><inputs[1].basename>', '<part>')\n"
        "def pair(inputs, output):\n"
        "    output.write_text('')\n"
        "pipeline.product('cross/<a.basename>-<b.basename>', {'a': 'in/a_*', 'b': 'in/b_*'},\n"
        "    recipe='cat <a> <b> > <output>', name='cross')\n"
        "@pipeline.rule('low/<basename>', pipeline['part'], retries=(2, 0), temp=False)\n"
        "def low(input, output):\n"
        "    output.write_text(input.read_text())\n"
        "show(pipeline.run())\n"
    )
    ((ran, _, _),) = results(script(text))
    assert len(ran) == 1 + 1 + 3 + 2 + 3
    assert (tmp_path / "joined.txt").read_text() == "uv uw vw a_1-b_1 a_2-b_1 u v w"


def test_values(script: Script, tmp_path: Path) -> None:
    """What is below a value runs again only if the object is another one."""
    text = (
        "@pipeline.rule('out/<s>.txt', 'in/<s>_1.txt', '<table>')\n"
        "def use(output, table, s):\n"
        "    output.write_text(table[s])\n"
        "@pipeline.value('table.txt')\n"
        "def table(input):\n"
        "    return dict(sorted(line.split() for line in input.open()))\n"
        "show(pipeline.run())\n"
        "show(pipeline.run())\n"
    )
    (tmp_path / "table.txt").write_text("a x\nb y\n")
    first, second = results(script(text))
    assert first == [["out/a.txt", "out/b.txt", "value table"], 0, {}]
    assert second[0] == []
    assert (tmp_path / "out/b.txt").read_text() == "y"
    (tmp_path / "table.txt").write_text("b y\na x\n")
    assert results(script(text))[0][0] == ["value table"]
    (tmp_path / "table.txt").write_text("b y\na z\n")
    assert results(script(text))[0][0] == ["out/a.txt", "out/b.txt", "value table"]


def test_pipelines_in_pipelines(script: Script, tmp_path: Path) -> None:
    text = (
        "sub = Pipeline('sub', source='in/a_*.txt', out='one')\n"
        "@sub.rule('<out>/<basename>.n', '<source>')\n"
        "def count(input, output):\n"
        "    output.write_text(str(len(input.read_text())))\n"
        "@sub.rule('<out>/total.txt', count)\n"
        "def total(inputs, output, out):\n"
        "    output.write_text(out + str(sum(int(each.read_text()) for each in inputs)))\n"
        "other = sub.clone('other', source=['in/b_1.txt'], out='two')\n"
        "pipeline.rule('both.txt', sub['total'], other['total'], recipe='cat <inputs> > <output>')\n"
        "pipeline.add(sub)\n"
        "pipeline.add(other)\n"
        "show(pipeline.run())\n"
        "show(pipeline.run([other['total']], force=[other['count']]))\n"
        "pipeline.main(['--list'])\n"
    )
    output = script(text)
    first, second = results(output)
    assert first[0] == [
        "both.txt",
        *("one/a_1.n", "one/a_2.n", "one/total.txt"),
        *("two/b_1.n", "two/total.txt"),
    ]
    assert second[0] == ["two/b_1.n"]
    assert (tmp_path / "both.txt").read_text() == "one4two2"
    assert "other_total" in output


def test_functions_that_add_rules(script: Script, tmp_path: Path) -> None:
    """What a list names is made, also of a list that is made first, to any depth."""
    text = (
        "pipeline.rule('final.txt', 'made/*.txt', recipe='cat <inputs> > <output>')\n"
        "pipeline.rule('list.txt', 'in/a_1.txt', recipe='echo a > <output>; cat <input> >> <output>')\n"
        "@pipeline.generate('list.txt')\n"
        "def more(listing):\n"
        "    for name in listing.read_text().split():\n"
        "        pipeline.rule(f'made/{name}.txt', recipe=f'echo {name} > <output>')\n"
        "    pipeline.rule('second.txt', 'list.txt', recipe='cp <input> <output>')\n"
        "    @pipeline.generate('second.txt')\n"
        "    def deeper(listing):\n"
        "        pipeline.rule('made/deep.txt', recipe='echo deep > <output>')\n"
        "show(pipeline.run())\n"
        "show(pipeline.run())\n"
    )
    first, second = results(script(text))
    assert "made/deep.txt" in first[0] and "made/a1.txt" in first[0]
    assert second[0] == []
    assert (tmp_path / "final.txt").read_text() == "a\na1\ndeep\n"
    (tmp_path / "in/a_1.txt").write_text("x y")
    first, second = results(script(text))
    assert first[0] == ["final.txt", "list.txt", "made/x.txt", "made/y.txt", "second.txt"]
    assert (tmp_path / "final.txt").read_text() == "a\ndeep\nx\ny\n"


def test_pipefiles_in_pipelines(script: Script, tmp_path: Path) -> None:
    (tmp_path / "more.pipe").write_text("copied: copy.txt: <total>\n    cat <inputs> > <output>\n")
    text = UPPER + "pipeline.include('more.pipe')\nshow(pipeline.run(['copied']))\n"
    assert results(script(text))[0][0][0] == "copy.txt"
    assert (tmp_path / "copy.txt").read_text() == "a-['1', '2']:A1A2;b-1:B1;"


def test_a_plan_runs_nothing(script: Script, tmp_path: Path) -> None:
    text = UPPER + (
        "for job in pipeline.plan():\n"
        "    print(job.name, job.rule, job.inputs, job.runs, len(job.why))\n"
        "show(pipeline.run())\n"
        "print(sum(job.runs for job in pipeline.plan()), len(pipeline.plan()))\n"
        "print([job.name for job in pipeline.plan(force=[total]) if job.runs])\n"
    )
    lines = script(text).splitlines()
    assert lines[:1] == ["up/a_1.txt upper ('in/a_1.txt',) True 2"]
    assert lines[-2] == "0 6"
    assert "sum/a.txt" in lines[-1] and "up/" not in lines[-1]


def test_the_command_line_of_a_pipeline(script: Script, tmp_path: Path) -> None:
    text = UPPER + 'if __name__ == "__main__":\n    pipeline.main()\n'
    assert "6 would run" in script(text, "-n")
    script(text, "-q", status=1)
    assert "6 ran" in script(text, "-j2")
    script(text, "-q")
    assert "upper" in script(text, "--list")
    assert "up to date" in script(text, "--explain", "all.txt")
    assert "no rule makes `nothing`" in script(text, "nothing", status=2)
    assert "are in Python" in script(text, "-f", "Pipefile", status=2)
    assert "usage: pybuild" in script(text, "--help")
    script(text, "--flowchart", "chart.svg")
    assert "upper" in (tmp_path / "chart.svg").read_text()
    assert "no errors" in script(text, "--lint")


def test_flowchart(script: Script, tmp_path: Path) -> None:
    script(UPPER + "pipeline.flowchart('rules.dot')\npipeline.flowchart('jobs.dot', jobs=True)\n")
    assert "total" in (tmp_path / "rules.dot").read_text()
    assert "sum/a.txt" in (tmp_path / "jobs.dot").read_text()


def test_failures(script: Script, tmp_path: Path) -> None:
    text = UPPER.replace(
        "    output.write_text(input.read_text().upper())",
        "    if 'a_1' in input.name:\n        raise ValueError('no')\n    output.write_text('')",
    )
    output = script(
        text
        + "try:\n    pipeline.run(keep_going=True)\n"
        + "except JobsFailed as error:\n    print('FAILED', dict(error.failures))\n"
        + "show(pipeline.run(check=False, keep_going=True, verbose=False))\n"
    )
    assert "FAILED {'up/a_1.txt': 'ValueError: no'}" in output
    ((ran, _, failures),) = results(output)
    assert ran == []
    assert failures == {"up/a_1.txt": "ValueError: no"}
    assert "raise ValueError('no')" in output


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            "@pipeline.rule('x/<m>.txt', 'in/<m>_1.txt')\ndef f(input, wrong): pass\n",
            13,
            "`wrong`, which `f` takes, is nothing that this rule has",
        ),
        (
            "@pipeline.rule('x/<n>.txt', 'in/<m>_1.txt')\ndef f(input): pass\n",
            13,
            "`<n>` is not known here",
        ),
        ("pipeline.rule('a', retry=3, recipe='x')\n", 13, "did you mean `retries`"),
        ("pipeline.rule('a', retries='x', recipe='x')\n", 13, "`@retries`: the number has to be"),
        ("pipeline.rule('a')(3)\n", 13, "a recipe is a function or a text, not 3"),
        ("pipeline.rule('a', 3, recipe='x')\n", 13, "3 is no file, pattern or rule"),
        ("pipeline.rule('a', 'no_such_file', recipe='x')\n", 13, "there is no such file"),
        ("pipeline.rule('a<', 'b<n[>', recipe='x')\n", 13, "not well formed"),
        ("pipeline.rule('a', 'b', recipe='echo <nothing>')\n", 13, "`<nothing>` is not known"),
        ("@pipeline.rule('a')\ndef f(*inputs): pass\n", 13, "takes what it needs by name"),
        (
            "@pipeline.generate('in/a_1.txt')\ndef f(x): raise KeyError(x.name)\n",
            13,
            "KeyError: 'a_1.txt'",
        ),
        ("pipeline.rule('a', len, recipe='x')\n", 13, "`len` is no rule of this pipeline"),
        (
            "pipeline.rule('a', recipe='x', name='r')\npipeline.rule('b', recipe='x', name='r')\n",
            14,
            "a second rule with the name `r`",
        ),
        (
            "pipeline.rule('a', 'b', recipe='x')\npipeline.rule('b', 'a', recipe='y')\n",
            13,
            "each other",
        ),
    ],
)
def test_mistakes_are_told_at_their_line(
    script: Script, text: str, place: int, message: str
) -> None:
    inner = "".join(f"    {line}\n" for line in f"{text}pipeline.run()".splitlines())
    output = script(f"try:\n{inner}except PipelineError as error:\n    print(error)\n")
    assert message in output
    assert "Traceback" not in output
    assert f"script.py:{place}:" in output


def test_mistakes_on_the_command_line_of_a_pipeline(script: Script) -> None:
    output = script("pipeline.rule('a', len, recipe='x')\npipeline.main()\n", status=2)
    assert "script.py:12:1: error: `len` is no rule of this pipeline" in output
    assert "Traceback" not in output


def test_a_clone_has_rules_of_its_own(script: Script, tmp_path: Path) -> None:
    """Handles of rules, and functions that add rules, mean the copy's."""
    text = (
        "sub = Pipeline('sub', out='one')\n"
        "a = sub.rule('<out>/a.txt', recipe='echo <out> > <output>', name='a')\n"
        "inner = sub.add(Pipeline('inner', out='deep'))\n"
        "inner.rule('<out>/i.txt', a, recipe='cp <input> <output>', name='i')\n"
        "sub.rule('<out>/b.txt', a, inner['i'], recipe='cat <inputs> > <output>', name='b')\n"
        "@sub.generate('in/a_1.txt')\n"
        "def more(source):\n"
        "    c = sub.rule('<out>/c.txt', recipe='echo <out> > <output>', name='c')\n"
        "    sub.rule('<out>/d.txt', c, recipe='cp <input> <output>', name='d')\n"
        "other = sub.clone('other', out='two')\n"
        "pipeline.add(other)\n"
        "before = len(sub._parts)\n"
        "show(pipeline.run([other['b'], 'two/d.txt']))\n"
        "assert len(sub._parts) == before\n"
    )
    ((ran, _, _),) = results(script(text))
    assert ran == ["two/a.txt", "two/b.txt", "two/c.txt", "two/d.txt", "two/i.txt"]
    assert (tmp_path / "two/b.txt").read_text() == "two\ntwo\n"
    assert (tmp_path / "two/d.txt").read_text() == "two\n"


def test_a_handle_that_two_clones_could_mean_is_refused(script: Script) -> None:
    text = (
        "sub = Pipeline('sub', out='one')\n"
        "a = sub.rule('<out>/a.txt', recipe='echo > <output>', name='a')\n"
        "pipeline.rule('all', a, recipe='', phony=True)\n"
        "pipeline.add(sub.clone('x', out='x'))\n"
        "pipeline.add(sub.clone('y', out='y'))\n"
        "try:\n    pipeline.run()\nexcept PipelineError as error:\n    print(error)\n"
    )
    assert "script.py:14:1: error: `a` is no rule of this pipeline" in script(text)


def test_only_variables_that_a_rule_uses_count(script: Script, tmp_path: Path) -> None:
    text = (
        "pipeline.variables.update(mark='m', marker='n', logs='log')\n"
        "pipeline.rule('a.txt', recipe='echo <marker> > <output>', mkdir='<logs>/a')\n"
        "show(pipeline.run())\n"
    )
    assert results(script(text))[0][0] == ["a.txt"]
    assert (tmp_path / "log/a").is_dir()
    assert results(script(text.replace("mark='m'", "mark='M'")))[0][0] == []
    assert results(script(text.replace("marker='n'", "marker='N'")))[0][0] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "N\n"


def test_a_target_that_nobody_makes(script: Script) -> None:
    def attempt(call: str) -> str:
        return f"try:\n    {call}\nexcept PipelineError as error:\n    print('WRONG', error)\n"

    text = UPPER + (
        attempt("pipeline.plan(['nothing'])")
        + attempt("pipeline.run(['nothing'])")
        + attempt("pipeline.run(['nothing', 'up/a_1.txt'], keep_going=True, verbose=False)")
        + "result = pipeline.run(['nothing'], keep_going=True, verbose=False, check=False)\n"
        + "print('PROBLEMS', *result.problems)\nshow(pipeline.run(['up/a_1.txt']))\n"
    )
    output = script(text)
    assert output.count("WRONG pybuild: error: no rule makes `nothing` [PB305]") == 3
    assert "PROBLEMS pybuild: error: no rule makes `nothing` [PB305]" in output
    assert results(output) == [[[], 1, {}]], "keep_going has made the other one"


def test_an_excerpt_shows_the_script_as_it_is_now(script: Script, tmp_path: Path) -> None:
    (tmp_path / "part.py").write_text("def add(p):\n    p.rule('a', 1, recipe='x')\n")
    text = (
        "import importlib, part\n"
        "def attempt():\n"
        "    wrong = Pipeline()\n"
        "    part.add(wrong)\n"
        "    try:\n        wrong.run()\n    except PipelineError as error:\n        print(error)\n"
        "attempt()\n"
        "Path('part.py').write_text(Path('part.py').read_text().replace(' 1,', '  234,'))\n"
        "importlib.reload(part)\n"
        "attempt()\n"
    )
    output = script(text)
    assert "p.rule('a', 1, recipe='x')" in output
    assert "p.rule('a',  234, recipe='x')" in output


def test_thousands_of_rules_that_name_functions(script: Script) -> None:
    text = (
        "last = 'in/a_1.txt'\n"
        "def chain(number, last):\n"
        "    @pipeline.rule(f'c/{number}', last, name=f'r{number}')\n"
        "    def step(input, output): output.write_text('')\n"
        "    return step\n"
        "for number in range(3000):\n"
        "    last = chain(number, last)\n"
        "print('JOBS', len(pipeline.plan(last)))\n"
    )
    assert "JOBS 3000" in script(text)


def test_a_process_that_builds_again_and_again_does_not_grow(script: Script) -> None:
    """Neither in open files nor in objects, whether there is something to do or not."""
    text = (
        "import gc, os\n"
        "from pybuild.cli.main import run\n"
        "Path('Pipefile').write_text('copy/<n>.txt: in/<n>.txt\\n    cp <input> <output>\\n')\n"
        "pipeline.include('Pipefile')\n"
        "def size():\n"
        "    gc.collect()\n"
        "    return len(os.listdir('/proc/self/fd')), len(gc.get_objects())\n"
        "for turn in range(12):\n"
        "    Path('in/a_1.txt').write_text(str(turn))\n"
        "    assert run([]) == 0 and run([]) == 0 and run(['copy/b_1.txt']) == 0\n"
        "    Path('in/a_1.txt').write_text(str(-turn))\n"
        "    pipeline.run()\n"
        "    if turn == 3:\n"
        "        files, objects = size()\n"
        "now_files, now_objects = size()\n"
        "assert now_files == files, (files, now_files)\n"
        "assert now_objects < objects + 100, (objects, now_objects)\n"
        "assert gc.isenabled() and not gc.get_freeze_count()\n"
    )
    script(text)
