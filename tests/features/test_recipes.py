"""Recipes and attributes: what runs, with which names, and how it is quoted."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Sandbox


def test_shell_text_reaches_the_shell_as_written(box: Sandbox) -> None:
    box.write(
        Pipefile="b: a\n    awk '{print $1 \"{}\" \"\\\\\\\\\"}' <input> | sed 's/x$/y/' > <output>\n",
        a="q x\n",
    )
    box.run()
    assert box.text("b") == "q{}\\\\\n"


def test_one_script_per_job(box: Sandbox) -> None:
    box.write(Pipefile="b:\n    cd /\n    here=$PWD\n    cd - > /dev/null\n    echo $here > b\n")
    box.run()
    assert box.text("b") == "/\n"


def test_the_script_stops_at_the_first_failure_and_in_pipes(box: Sandbox) -> None:
    box.write(Pipefile="b:\n    false | cat\n    touch b\n")
    box.run(status=2)
    assert not (box.folder / "b").exists()


@pytest.mark.parametrize(
    "name",
    [
        "a b.txt",
        "it's.txt",
        'say "x".txt',
        "$HOME.txt",
        "new\nline.txt",
        "-dash.txt",
        "ünï.txt",
        "star*.txt",
        "semi;colon.txt",
        "<in>.txt",
    ],
)
def test_file_names_with_anything_in_them(box: Sandbox, name: str) -> None:
    box.write(
        Pipefile="all: <two>\n"
        'two: two/<basename>.2: one/*.1\n    cat "<input>" > "<output>"; echo \'<basename>\' >> <output>\n'
        "one: one/<n>.1: in/<n>.txt\n    cat < <input> > <output>\n"
    )
    box.put(f"in/{name}", "data\n")
    box.run()
    stem = name.removesuffix(".txt")
    assert box.text(f"two/{stem}.2") == f"data\n{stem}\n"
    box.runs_nothing()


def test_placeholders_in_here_documents(box: Sandbox) -> None:
    box.write(
        Pipefile="b: 'x y'\n    true\n".replace("'x y'", '"x y"').replace(
            "    true\n",
            "    cat > <output> <<END\n    file <input> costs \\$5 don't\n    END\n    echo '<input>' >> <output>\n",
        )
    )
    box.put("x y", "")
    box.run()
    assert box.text("b") == "file x y costs $5 don't\nx y\n"


def test_redirections_and_comparisons_are_left_alone(box: Sandbox) -> None:
    box.write(
        Pipefile="b: a\n    cat <a >b; (( 1 <2 )) && cat <<< x >> b; cat <(echo y) >> b\n", a="1\n"
    )
    box.run()
    assert box.text("b") == "1\nx\ny\n"


def test_escaped_placeholder(box: Sandbox) -> None:
    box.write(Pipefile="b:\n    echo '\\<b>' > b\n")
    box.run()
    assert box.text("b") == "<b>\n"


def test_make_prefixes(box: Sandbox) -> None:
    box.write(Pipefile="a:\n    @echo quiet; touch a\nb:\n    -touch b; false\nc:\n    +touch c\n")
    output = box.run("a", "b")
    assert "echo quiet" not in output
    assert "quiet" in output
    assert "failed (ignored)" in output
    box.run("-n", "c")
    assert (box.folder / "c").exists()


def test_python_blocks_have_names_as_paths(box: Sandbox) -> None:
    text = """suffix = "!"
out/<s>.txt: in/<s>.txt ref=ref.txt | order
    python:
        from pathlib import Path
        assert isinstance(input, Path) and isinstance(ref, Path) and s == "x"
        assert inputs == [Path("in/x.txt"), Path("ref.txt")], inputs
        assert outputs == [output] and order_only == [Path("order")]
        assert rule and basename == "x" and ext == ".txt"
        total = sum(len(p.read_text()) for p in inputs)
        output.write_text(f"{s}{total}{suffix}" + run("tr a-z A-Z <", input))
"""
    box.write(Pipefile=text, **{"ref.txt": "rr", "order": ""})
    box.put("in/x.txt", "abc")
    box.run()
    assert box.text("out/x.txt") == "x5!ABC"
    box.runs_nothing()


def test_shell_and_python_in_one_recipe(box: Sandbox) -> None:
    text = """b: a
    echo one > <output>
    python:
        with output.open("a") as f:
            f.write("two\\n")
    echo three >> <output>
"""
    box.write(Pipefile=text, a="")
    box.run()
    assert box.text("b") == "one\ntwo\nthree\n"


def test_scripts_for_other_programs(box: Sandbox) -> None:
    text = """b: a
    #!/usr/bin/env python3
    open("<output>", "w").write("<input>")
"""
    box.write(Pipefile=text, a="")
    box.run()
    assert box.text("b") == "a"


def test_tracebacks_point_into_the_pipefile(box: Sandbox) -> None:
    text = "python:\n    def f():\n        return 1 / 0\n\nb: a\n    echo x\n    python:\n        y = 1\n        f()\n"
    box.write(Pipefile=text, a="")
    output = box.run(status=2)
    assert 'File "Pipefile", line 9' in output
    assert 'File "Pipefile", line 3, in f' in output
    assert "ZeroDivisionError: division by zero" in output
    assert "worker.py" not in output


@pytest.mark.parametrize("indent", ["    ", "\t", "  "])
def test_carets_of_tracebacks_point_at_the_code(box: Sandbox, indent: str) -> None:
    """In blocks at the margin, in recipes, behind a text that is no ASCII and in a second line."""
    text = """python:
    def f():
        text = "ü"; return text + str(1 / zero)

    zero = 0

    def g():
        both = [lambda: 1, lambda: f(
            )]
        return both[1]()

b: a
    echo x
    python:
        if True:
            y = [1,
                 g()]
"""
    box.write(Pipefile=text.replace("    ", indent), a="")
    lines = box.run(status=2).split("Traceback", 1)[1].splitlines()
    pointed = [
        shown[len(carets) - len(carets.lstrip()) : len(carets)]
        for shown, carets in itertools.pairwise(lines[:20])
        if carets.strip() and not carets.strip(" ~^")
    ]
    assert pointed[:3] == ["g()", "both[1]()", "f("]
    assert pointed[3].endswith("1 / zero")


def test_a_mistake_that_only_compiling_finds_is_told_at_its_place(box: Sandbox) -> None:
    box.write(Pipefile="b:\n    python:\n        x = 1; yield x\n")
    output = box.run(status=2)
    assert "Pipefile:3:16: error: Python: 'yield' outside function" in output


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os; os._exit(3)", "exit status 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV"),
        ("import sys; sys.exit(4)", "exit status 4"),
        ("import sys; sys.exit('why')", "exit status 1"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
def test_a_block_that_ends_its_process_hurts_no_other(
    box: Sandbox, code: str, message: str
) -> None:
    text = f"""all: bad <good>
bad: a
    python:
        {code}
good: out/<n>: in/<n>
    python:
        output.write_text("fine")
"""
    box.write(Pipefile=text, a="")
    for number in range(8):
        box.put(f"in/{number}", "")
    output = box.run("-k", "-j2", status=2)
    assert message in output
    assert len(box.names("out/*")) == 8


def test_blocks_do_not_see_each_others_folder_environment_or_output(box: Sandbox) -> None:
    text = """all: <each>
each: out/<n>: in/<n>
    python:
        import os
        assert "LEAK" not in os.environ and x == 1
        output.write_text(os.getcwd())
        print("said", n)
        os.environ["LEAK"] = "1"
        os.chdir("/")
        x = 2
""".replace("each: out", "x = 1\neach: out")
    box.write(Pipefile=text)
    for number in range(4):
        box.put(f"in/{number}", "")
    output = box.run("-j1")
    assert box.text("out/3") == str(box.folder)
    assert output.count("said") == 4
    box.run("-B", "-j2")


def test_output_of_parallel_jobs_is_grouped(box: Sandbox) -> None:
    text = """all: <each>
@silent
each: out/<n>: in/<n>
    for i in 1 2 3 4 5; do echo <n> <n>; echo <n> >&2; done; touch <output>
"""
    box.write(Pipefile=text)
    for number in range(6):
        box.put(f"in/{number}", "")
    lines = [line.split()[0] for line in box.run("-j4").splitlines() if line[0].isdigit()]
    assert len(lines) == 60
    changes = sum(one != two for one, two in itertools.pairwise(lines))
    assert changes == 5


def test_logs_are_kept_and_shown_on_failure(box: Sandbox) -> None:
    box.write(Pipefile="b: a\n    echo told; echo wrong >&2; exit 7\n", a="")
    output = box.run(status=2)
    assert "exit status 7" in output
    [log] = box.names(".pybuild/logs/*")
    assert box.text(log) == "told\nwrong\n"
    assert log in output


def test_retries(box: Sandbox) -> None:
    box.write(
        Pipefile="@retries(2)\nb: a\n    echo x >> tries; test $(wc -l < tries) -ge 3; touch b\n",
        a="",
    )
    output = box.run()
    assert box.text("tries") == "x\n" * 3
    assert "it will be tried again" in output
    box.write(Pipefile="@retries(1)\nc: a\n    echo x >> more; false\n")
    box.run(status=2)
    assert box.text("more") == "x\n" * 2


def test_timeout_ends_the_job_and_all_it_started(box: Sandbox) -> None:
    box.write(Pipefile='@timeout("300ms")\nb: a\n    sleep 1000 & echo $! > pid; wait\n', a="")
    assert "timed out after 0.3 s" in box.run(status=2)
    status = Path(f"/proc/{box.text('pid').strip()}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"


def test_environment_and_shell(box: Sandbox) -> None:
    text = """@env(WORD="<s>!")
@shell("sh -e")
out/<s>: in/<s>
    echo $WORD $0 > <output>
@env(WORD="py")
p: in/x
    python:
        import os
        output.write_text(os.environ["WORD"])
"""
    box.write(Pipefile=text)
    box.put("in/x", "")
    box.run("out/x", "p")
    assert box.text("out/x") == "x! sh\n"
    assert box.text("p") == "py"


def test_atomic(box: Sandbox) -> None:
    text = "@atomic\nb: a\n    echo <output> > seen; echo new > <output>; test -e ok\n"
    box.write(Pipefile=text, a="", b="old")
    box.run(status=2)
    assert box.text("b") == "old"
    assert box.text("seen").strip() != "b"
    box.put("ok", "")
    box.run()
    assert box.text("b") == "new\n"
    box.runs_nothing()


def test_protected(box: Sandbox) -> None:
    box.write(Pipefile="@protected\nb: a\n    cat a > b\n", a="1")
    box.run()
    assert (box.folder / "b").stat().st_mode & 0o222 == 0
    box.write(a="2")
    assert "is protected" in box.run(status=2)
    assert box.text("b") == "1"
    box.run("--force", "b")
    assert box.text("b") == "2"


def test_posttask_and_touch(box: Sandbox) -> None:
    text = """python:
    def done():
        open("hook", "a").write("x")
@posttask(done, "echo y >> hook")
@touch("flags/done", "flags/<n>.done")
each: out/<n>: in/<n>
    touch <output>
"""
    box.write(Pipefile=text)
    box.put("in/a", "")
    box.put("in/b", "")
    box.run()
    assert box.text("hook") == "xy\n"
    assert box.names("flags/*") == ["flags/a.done", "flags/b.done", "flags/done"]
    box.runs_nothing()
    assert box.text("hook") == "xy\n"


def test_what_hooks_print_is_in_their_order(box: Sandbox) -> None:
    text = """python:
    def one():
        print("one")
    def three():
        print("three")
@posttask(one, "echo two", three)
out:
    touch <output>
"""
    box.write(Pipefile=text)
    assert box.run("-s").split() == ["one", "two", "three"]


def test_active_if_and_optional(box: Sandbox) -> None:
    text = """wanted = False
all: <a> <b> <none>
a: out/<n>.a: in/<n>
    touch <output>
@active_if(wanted)
b: out/<n>.b: in/<n>
    touch <output>
@optional
none: out/<n>.none: nowhere/<n>
    touch <output>
"""
    box.write(Pipefile=text)
    box.put("in/x", "")
    assert box.ran() == 1


def test_uptodate_if(box: Sandbox) -> None:
    text = """python:
    def fresh(inputs, outputs):
        return outputs[0].read_text() == "good"
@uptodate_if(fresh)
b: a
    cp a b
"""
    box.write(Pipefile=text, a="good")
    assert box.ran() == 1
    box.runs_nothing()
    box.write(b="bad")
    assert box.ran() == 1


def test_follows_and_mkdir_and_params(box: Sandbox) -> None:
    text = """@follows(first)
@mkdir("x/<n>/y")
@params(size=3)
second: out/<n>: in/<n>
    test -e one && test -d x/<n>/y && echo <size> > <output>
first: one: in/a
    touch one
"""
    box.write(Pipefile=text)
    box.put("in/a", "")
    assert box.ran() == 2
    assert box.text("out/a") == "3\n"
    box.write(Pipefile=text.replace("size=3", "size=4"))
    assert box.ran() == 1


def test_limits(box: Sandbox) -> None:
    text = """all: <one> <two>
@jobs_limit(1)
one: one/<n>: in/<n>
    mkdir lock; test ! -e bad; rmdir lock; touch <output>
@pool("disk", 1)
two: two/<n>: in/<n>
    mkdir lock2; rmdir lock2; touch <output>
"""
    box.write(Pipefile=text)
    for number in range(6):
        box.put(f"in/{number}", "")
    assert box.ran("-j8") == 12


def test_resources(box: Sandbox) -> None:
    text = """all: <one>
@resources(gpu=1, cpus=2, mem="1M")
one: one/<n>: in/<n>
    mkdir lock; rmdir lock; touch <output>
"""
    box.write(Pipefile=text)
    for number in range(4):
        box.put(f"in/{number}", "")
    assert box.ran("-j8", "--resources", "gpu=1") == 4


def test_long_lists_of_files(box: Sandbox) -> None:
    box.write(Pipefile="n: in/*\n    for f in <inputs>; do echo $f; done | wc -l > <output>\n")
    for number in range(6000):
        box.put(f"in/a-rather-long-name-for-a-file-{number}", "")
    box.run()
    assert box.text("n").strip() == "6000"


def test_variables(box: Sandbox) -> None:
    text = """flags ?= "-O2"
flags += "-g"
list = ["a", "b c"]
list += ["d"]
b:
    printf '%s\\n' <flags> <list> > b
"""
    box.write(Pipefile=text)
    box.run()
    assert box.text("b").split("\n")[:-1] == ["-O2", "-g", "a", "b c", "d"]
    box.run(env={"flags": "-E"})
    assert box.text("b").startswith("-E\n-g\n")
    box.run("flags=-X -Y")
    assert box.text("b").startswith("-X\n-Y\na\n")


def test_builtins(box: Sandbox) -> None:
    text = """v = env("NOPE", "dflt") + sh("echo hi") + read("f").strip() + config("c.toml")["k"] + config("c.json")["k"]
b:
    echo <v> > b
"""
    box.write(Pipefile=text, f="R\n", **{"c.toml": 'k = "T"', "c.json": '{"k": "J"}'})
    box.run()
    assert box.text("b") == "dflthiRTJ\n"


def test_changed_names_the_newer_prerequisites(box: Sandbox) -> None:
    import os

    box.write(Pipefile="c: a b\n    echo <changed> > c\n", a="1", b="1")
    box.run()
    assert box.text("c") == "a b\n"
    box.write(b="2")
    os.utime(box.folder / "b", (2**31 - 10, 2**31 - 10))
    box.run()
    assert box.text("c") == "b\n"


def test_critical_path_first(box: Sandbox) -> None:
    text = """all: short long2
short: a
    echo short >> order; touch short
long2: long1
    sleep 0.2; touch long2
long1: a
    echo long >> order; touch long1
"""
    box.write(Pipefile=text, a="")
    box.run("-j1")
    box.write(a="2", order="")
    box.run("-j1")
    assert box.text("order").split()[0] == "long"


def test_touch_says_what_it_does_and_runs_what_has_a_plus(box: Sandbox) -> None:
    box.write(
        Pipefile="""all: a.txt "b c.txt" d.txt clean
a.txt:
    @echo 1 >> ran; echo a > a.txt
"b c.txt":
    echo 1 >> ran; echo b > <output>
d.txt: a.txt
    +echo d > d.txt
.PHONY: clean
clean:
    echo 1 >> ran
split parts: parts/*.x:
    echo 1 >> ran
"""
    )
    dry = box.run("-n", "-t")
    assert "\ntouch a.txt\n" in dry and "echo a" not in dry
    assert "pybuild: 2 would be touched, 1 would run, 0 up to date" in dry
    *commands, last = box.run("-t", "-j1").splitlines()
    assert commands == ["touch a.txt", "touch 'b c.txt'", "echo d > d.txt"]
    assert last.startswith("pybuild: 2 touched, 1 ran, 0 up to date in ")
    assert (box.text("a.txt"), box.text("d.txt")) == ("", "d\n")
    assert not (box.folder / "ran").exists()
    assert box.run("-t") == "pybuild: `all` up to date (3 jobs)\n"
    assert box.run("-t", "-s", "-B", "a.txt") == ""
    box.put("parts/1.x", "")
    box.put("parts/2.x", "")
    assert box.run("-t", "parts").splitlines()[:2] == ["touch parts/1.x", "touch parts/2.x"]
    assert not (box.folder / "ran").exists()


@pytest.mark.parametrize(
    ("left", "seen"),
    [
        ("os.umask(0o077)", "(output.parent / 'new').touch(0o666); print(oct(output.parent.joinpath('new').stat().st_mode))"),
        ("sys.path.insert(0, 'elsewhere')", "print('elsewhere' in sys.path)"),
        ("sys.path = [*sys.path, 'elsewhere']", "print('elsewhere' in sys.path)"),
        ("sys.stdout = open('other', 'w')", "print('here')"),
        ("sys.stdout.close()", "print('here')"),
        ("sys.stderr.close()", "print('here', file=sys.stderr)"),
        ("threading.Thread(target=threading.Event().wait, daemon=True).start()", "print(threading.active_count())"),
    ],
)  # fmt: skip
def test_what_a_block_leaves_the_next_one_does_not_see(box: Sandbox, left: str, seen: str) -> None:
    text = """all: two
one:
    python:
        import os, sys, threading
        output.touch()
        LEFT
two: | one
    python:
        import os, sys, threading
        output.touch()
        SEEN
""".replace("SEEN", seen)
    box.write(Pipefile=text.replace("LEFT", "pass"))
    alone = box.run("-j1").splitlines()[:-1]
    for name in ("one", "two", "new"):
        (box.folder / name).unlink(missing_ok=True)
    box.write(Pipefile=text.replace("LEFT", left))
    assert box.run("-j1").splitlines()[:-1] == alone


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_block_that_closes_its_output_and_fails(box: Sandbox, stream: str) -> None:
    text = f"a:\n    python:\n        import sys\n        sys.{stream}.close()\n        1 / 0\n"
    output = box.write(Pipefile=text).run(status=2)
    assert "Pipefile" in output and "ZeroDivisionError: division by zero" in output


def test_a_program_that_is_not_there_is_named(box: Sandbox) -> None:
    box.write(Pipefile="a:\n    #!/no/such/program -x\n    anything\n")
    output = box.run(status=2)
    assert "`a` failed: cannot start `/no/such/program`: No such file or directory" in output


@pytest.mark.parametrize("given", [None, "C.UTF-8"])
def test_a_recipe_has_no_locale_that_nobody_set(box: Sandbox, given: str | None) -> None:
    """Python sets `LC_CTYPE` where there is no other locale (PEP 538)."""
    box.write(Pipefile="out:\n    echo ${LC_CTYPE-none} > <output>\n")
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    environment = {name: text for name, text in os.environ.items() if name not in names}
    if given is not None:
        environment["LC_CTYPE"] = given
    words = [sys.executable, "-m", "pybuild"]
    subprocess.run(words, cwd=box.folder, env=environment, check=True)
    assert box.text("out").strip() == (given or "none")
