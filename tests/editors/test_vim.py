"""Vim and Neovim, as they are, with the runtime files of `editors/vim`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.editors.places import ROOT, places, texts
from tests.editors.test_words import WORDS

RUNTIME = ROOT / "editors" / "vim"
GROUPS = {
    "comment": r".*Comment",
    "variable": "pipefileVariable",
    "include": "pipefileInclude",
    "attribute": "pipefileAttribute",
    "kind": "pipefileKind",
    "rule": "pipefileRule",
    "placeholder": "pipefilePlaceholder",
    "python": "pipefileKeyword",
}
HEAD = f"""
set nocompatible encoding=utf-8 hidden noswapfile
set runtimepath^={RUNTIME}
filetype plugin indent on
syntax on
"""
LONGEST_S = 120


@pytest.fixture(params=["vim", "nvim"])
def editor(request: pytest.FixtureRequest) -> list[str]:
    """How one of the editors is started without a screen."""
    beside = Path(sys.executable).parent
    found = shutil.which(request.param, path=f"{beside}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"there is no {request.param} here")
    if request.param == "nvim":
        return [found, "--headless", "-u", "NONE", "-i", "NONE", "-n"]
    return [found, "-Nu", "NONE", "-i", "NONE", "-n", "-es", "-T", "dumb"]


def run(editor: list[str], folder: Path, script: str) -> Any:
    """What a script leaves in the variable `g:answer`."""
    file, answer = folder / "script.vim", folder / "answer.json"
    lines = [
        HEAD,
        "try",
        script,
        "catch",
        "let g:answer = {'error': v:exception . ' at ' . v:throwpoint}",
        "endtry",
        f"call writefile([json_encode(g:answer)], '{answer}')",
        "qall!",
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    programs = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [*editor, "-S", str(file)],
        cwd=folder,
        env=environment | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert answer.exists(), done.stdout + done.stderr
    found = json.loads(answer.read_text("utf-8"))
    assert not (isinstance(found, dict) and "error" in found), found["error"]
    return found


STACKS = """
function! Stack(line, column) abort
  return map(synstack(a:line, a:column), 'synIDattr(v:val, "name")')
        \\ + [synIDattr(synID(a:line, a:column, 1), 'name')]
endfunction
let g:answer = []
for [file, spots] in json_decode(join(readfile('spots.json'), ''))
  execute 'edit' fnameescape(file)
  call add(g:answer, [&filetype, map(spots, 'Stack(v:val[0], v:val[1])')])
endfor
"""


def stacks(
    editor: list[str], folder: Path, asked: list[tuple[str, list[int]]]
) -> list[list[list[str]]]:
    """The syntax groups at positions of texts."""
    spots = []
    for number, (text, positions) in enumerate(asked):
        file = folder / f"{number}.pipe"
        file.write_text(text, encoding="utf-8")
        spots.append((str(file), [_line_and_column(text, each) for each in positions]))
    (folder / "spots.json").write_text(json.dumps(spots), encoding="utf-8")
    found = run(editor, folder, STACKS)
    assert {filetype for filetype, _ in found} == {"pipefile"}
    return [groups for _, groups in found]


def _line_and_column(text: str, position: int) -> tuple[int, int]:
    """Both from 1; columns count bytes."""
    before = text[:position]
    return before.count("\n") + 1, len(before.rpartition("\n")[2].encode()) + 1


def test_every_place_has_the_group_that_the_parser_means(editor: list[str], tmp_path: Path) -> None:
    named = [(name, text, places(text)) for name, text in texts()]
    found = stacks(editor, tmp_path, [(text, [each.start for each in at]) for _, text, at in named])
    wrong = [
        f"{name}:{_line_and_column(text, place.start)[0]}: {place.what} "
        f"`{text[place.start : place.end]}` is {groups}"
        for (name, text, at), stacked in zip(named, found, strict=True)
        for place, groups in zip(at, stacked, strict=True)
        if not any(re.fullmatch(GROUPS[place.what], group) for group in groups)
    ]
    assert not wrong, "\n".join(wrong)


# Text, what to look at in it, and a group that it has; behind `!` one that it has not.
SPOTS = [
    ("a: b\n    cat <<END\n    <input>\n    END\n    touch x\n", "touch", "!pipefileHere"),
    ("a: b\n    cat <<'END'\n    text\n    END\n", "text", "pipefileHere"),
    ("a: b\n    echo 'open\nc: d\n", "c: d", "pipefileHeader"),
    ('a: b\n    python:\n        """open\nc: d\n', "c: d", "pipefileHeader"),
    ("a: b\n    python:\n        x = 1\n    echo <input>\n", "echo", "!pipefileRecipePython"),
    ("a: b\n    python:\n        x = inputs[0]\n", "inputs", "pipefileJobName"),
    ("a: b\n    echo '<input>'\n", "input", "pipefileReserved"),
    ('a: b\n    echo "$(cat <input>)"\n', "input", "pipefileReserved"),
    ("a: b\n    echo \\<input>\n", "input", "!pipefilePlaceholder"),
    ("a: b\n    # <input>\n", "input", "!pipefilePlaceholder"),
    ("@desc('<x>')\na: b\n", "x>", "pipefilePlaceholder"),
    ("@nonsense\na: b\n", "nonsense", "!pipefileAttribute"),
    ("x = glob('*.c')\n", "glob", "pipefileBuiltin"),
    ("x = [\n  1,\n]\ny = 2\n", "y", "pipefileVariable"),
    ("a: <n:[0-9]+> | d\n", "[0-9]", "pipefilePlaceholder"),
    ("a: <n:[0-9]+> | d\n", "|", "pipefileOrderOnly"),
    ("a: ref=b\n", "ref", "pipefileAlias"),
    ("objs: %.o: %.c\n", "objs", "!pipefileRule"),
    ('a: <f(inputs[1].basename, "x")>\n', "basename", "pipefileFilePart"),
    (".PHONY: x\n", ".PHONY", "pipefileSpecial"),
    ("python:\n    def f(): pass\n", "def", "pythonStatement"),
    ("a: b\n    if true; then echo; fi\n", "if", "shIf"),
]


def test_what_stands_where(editor: list[str], tmp_path: Path) -> None:
    found = stacks(editor, tmp_path, [(text, [text.index(part)]) for text, part, _ in SPOTS])
    wrong = [
        f"{text!r}: `{part}` is {groups}, wanted {wanted}"
        for (text, part, wanted), (groups,) in zip(SPOTS, found, strict=True)
        if (wanted.removeprefix("!") in groups) == wanted.startswith("!")
    ]
    assert not wrong, "\n".join(wrong)


def test_a_pipefile_is_known_by_its_name(editor: list[str], tmp_path: Path) -> None:
    script = "edit Pipefile\nlet g:answer = [&filetype, &commentstring, &shiftwidth]"
    assert run(editor, tmp_path, script) == ["pipefile", "# %s", 4]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("a: b\\<CR>cc x\\<CR>cc y", ["a: b", "    cc x", "    cc y"]),
        ("python:\\<CR>def f():\\<CR>pass", ["python:", "    def f():", "        pass"]),
        (
            "a: b\\<CR>python:\\<CR>if x:\\<CR>y",
            ["a: b", "    python:", "        if x:", "            y"],
        ),
        (".PHONY: a\\<CR>x = {1: 2}\\<CR>y = 1", [".PHONY: a", "x = {1: 2}", "y = 1"]),
        ("@desc('a: b')\\<CR>a: b", ["@desc('a: b')", "a: b"]),
        ("# a: b\\<CR>a: b", ["# a: b", "a: b"]),
    ],
)
def test_indentation_while_typing(
    editor: list[str], tmp_path: Path, typed: str, wanted: list[str]
) -> None:
    script = f'edit Pipefile\nexecute "normal! i{typed}"\nlet g:answer = getline(1, "$")'
    assert run(editor, tmp_path, script) == wanted


def test_indenting_a_whole_file_changes_nothing(editor: list[str], tmp_path: Path) -> None:
    text = (ROOT / "examples" / "weather" / "Pipefile").read_text("utf-8")
    (tmp_path / "Pipefile").write_text(text, encoding="utf-8")
    script = 'edit Pipefile\nnormal! gg=G\nlet g:answer = getline(1, "$")'
    assert "\n".join(run(editor, tmp_path, script)) + "\n" == text


def _made(editor: list[str], folder: Path, words: str) -> list[list[Any]]:
    """The quickfix list after `:make`: file, line, column, type, message."""
    script = f"""
edit Pipefile
compiler pybuild
let &l:makeprg = '{sys.executable} -m pybuild'
silent make! {words}
let g:answer = map(filter(getqflist(), 'v:val.valid'),
      \\ '[bufname(v:val.bufnr), v:val.lnum, v:val.col, tolower(v:val.type), v:val.text]')
"""
    found = run(editor, folder, script)
    return [[Path(name).name, *rest] for name, *rest in found]


def test_make_puts_mistakes_into_the_quickfix_list(editor: list[str], tmp_path: Path) -> None:
    text = "all: a.txt <nothing>\n\na.txt: b.txt\n    cp <input> <outptu>\n"
    (tmp_path / "Pipefile").write_text(text, encoding="utf-8")
    lines = text.splitlines()
    one, other = _made(editor, tmp_path, "--lint")
    assert one[:4] == ["Pipefile", 1, lines[0].index("<nothing>") + 1, "e"]
    assert other[:4] == ["Pipefile", 4, lines[3].index("<outptu>") + 1, "e"]
    assert re.search(r"outptu.*\[PB\d+\]$", other[4])


def test_make_takes_what_compilers_print(editor: list[str], tmp_path: Path) -> None:
    text = ".PHONY: all\nall:\n    echo 'src/a.c:3:5: error: no such thing' >&2; exit 1\n"
    (tmp_path / "Pipefile").write_text(text, encoding="utf-8")
    assert ["a.c", 3, 5, "e", "no such thing"] in _made(editor, tmp_path, "")


def _keywords(group: str) -> set[str]:
    syntax = (RUNTIME / "syntax" / "pipefile.vim").read_text("utf-8")
    found = re.search(rf"^syntax keyword {group} contained (.*)$", syntax, re.MULTILINE)
    assert found is not None
    return set(found[1].split())


def _alternatives(group: str) -> set[str]:
    syntax = (RUNTIME / "syntax" / "pipefile.vim").read_text("utf-8").replace("\n      \\", "")
    lines = re.findall(rf"^syntax match {group} (.*)$", syntax, re.MULTILINE)
    groups = [each for line in lines for each in re.findall(r"\\%\(([\w\\|]*?)\\\)", line)]
    return {word for each in groups for word in each.split("\\|")}


def test_the_syntax_file_knows_each_word() -> None:
    assert _keywords("pipefileBuiltin") == WORDS["builtins"]
    assert _keywords("pipefileJobName") == WORDS["job names"]
    assert _alternatives("pipefileAttribute") == WORDS["attributes"]
    assert _alternatives("pipefileKind") == WORDS["kinds"]
    assert _alternatives("pipefileReserved") == WORDS["reserved names"]
    assert _alternatives("pipefileFilePart") == WORDS["file parts"]
