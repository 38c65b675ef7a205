"""Emacs, as it is, with `editors/emacs/pipefile-mode.el`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.editors.places import ROOT, places, texts
from tests.editors.test_words import WORDS

MODE = ROOT / "editors" / "emacs" / "pipefile-mode.el"
FACES = {
    "comment": "font-lock-comment",
    "variable": "font-lock-variable-name-face",
    "include": "font-lock-keyword-face",
    "attribute": "font-lock-preprocessor-face",
    "kind": "font-lock-type-face",
    "rule": "font-lock-function-name-face",
    "placeholder": "pipefile-placeholder",
    "python": "font-lock-keyword-face",
}
HEAD = """
(require 'json)
(setq make-backup-files nil create-lockfiles nil)
(defun answer (value)
  (with-temp-file "answer.json" (insert (json-encode value))))
(defun names (face)
  (mapcar #'symbol-name (seq-filter #'symbolp (if (listp face) face (list face)))))
"""
LONGEST_S = 120


def run(folder: Path, script: str, flag: str = "-Q") -> Any:
    """What a script of Emacs Lisp gives to `answer`. With the flag `-q` the packages of the system
    are there."""
    emacs = shutil.which("emacs")
    if emacs is None:
        pytest.skip("there is no emacs here")
    file = folder / "script.el"
    file.write_text(HEAD + script, encoding="utf-8")
    done = subprocess.run(
        [emacs, flag, "--batch", "-l", str(MODE), "-l", str(file)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "answer.json").read_text("utf-8"))


FACES_AT = """
(answer
 (mapcar (lambda (spots)
           (with-current-buffer (find-file-noselect (aref spots 0))
             (font-lock-ensure)
             (vector (symbol-name major-mode)
                     (vconcat (mapcar (lambda (at) (vconcat (names (get-text-property at 'face))))
                                      (aref spots 1))))))
         (let ((json-array-type 'vector)) (json-read-file "spots.json"))))
"""


def faces(folder: Path, asked: list[tuple[str, list[int]]]) -> list[list[list[str]]]:
    """The faces at positions of texts."""
    spots = []
    for number, (text, positions) in enumerate(asked):
        file = folder / f"{number}.pipe"
        file.write_text(text, encoding="utf-8")
        spots.append((str(file), [each + 1 for each in positions]))
    (folder / "spots.json").write_text(json.dumps(spots), encoding="utf-8")
    found = run(folder, FACES_AT)
    assert {mode for mode, _ in found} == {"pipefile-mode"}
    return [groups for _, groups in found]


def test_every_place_has_the_face_that_the_parser_means(tmp_path: Path) -> None:
    named = [(name, text, places(text)) for name, text in texts()]
    found = faces(tmp_path, [(text, [each.start for each in at]) for _, text, at in named])
    wrong = [
        f"{name}:{text.count(chr(10), 0, place.start) + 1}: {place.what} "
        f"`{text[place.start : place.end]}` is {shown}"
        for (name, text, at), those in zip(named, found, strict=True)
        for place, shown in zip(at, those, strict=True)
        if not any(face.startswith(FACES[place.what]) for face in shown)
    ]
    assert not wrong, "\n".join(wrong)


# Text, what to look at in it, and a face that it has; behind `!` one that it has not.
SPOTS = [
    ("a: b\n    echo 'open\nc: d: e\n", "c: d", "font-lock-function-name-face"),
    ("a: b\n    echo it's\nc: d: e\n", "c: d", "font-lock-function-name-face"),
    ('a: b\n    python:\n        """open\nc: d: e\n', "c: d", "font-lock-function-name-face"),
    ("a: b\n    echo '<input>'\n", "input", "pipefile-reserved"),
    ("a: b\n    echo <flags>\n", "flags", "!pipefile-reserved"),
    ("a: b\n    echo \\<input>\n", "input", "!pipefile-placeholder"),
    ("a: b\n    # <input>\n", "input", "!pipefile-placeholder"),
    ("a: b\n    sort < file.txt > x\n", "file", "!pipefile-placeholder"),
    ("@desc('<x>')\na: b\n", "x>", "pipefile-placeholder"),
    ("@nonsense\na: b\n", "nonsense", "!font-lock-preprocessor-face"),
    ("x = '<x>'\n", "x>", "font-lock-string-face"),
    ("python:\n    def f(): return '<td>'\n", "td", "!pipefile-placeholder"),
    ("python:\n    def f(): pass\n", "def", "font-lock-keyword-face"),
    ("a: b\n    python:\n        return 1\n    if x; then y; fi\n", "return", "font-lock-keyword-face"),
    ("a: b\n    python:\n        x = 1\n    if x; then y; fi\n", "if", "font-lock-keyword-face"),
    ("x = [\n    glob('a'),  # why\n]\ny = 1\n", "why", "font-lock-comment-face"),
    ("x = [\n    glob('a'),  # why\n]\ny = 1\n", "y = ", "font-lock-variable-name-face"),
    ("objs: %.o: %.c\n", "objs", "!font-lock-function-name-face"),
]  # fmt: skip


def test_what_stands_where(tmp_path: Path) -> None:
    found = faces(tmp_path, [(text, [text.index(part)]) for text, part, _ in SPOTS])
    wrong = [
        f"{text!r}: `{part}` is {shown}, wanted {wanted}"
        for (text, part, wanted), (shown,) in zip(SPOTS, found, strict=True)
        if (wanted.removeprefix("!") in shown) == wanted.startswith("!")
    ]
    assert not wrong, "\n".join(wrong)


def test_a_pipefile_is_known_by_its_name(tmp_path: Path) -> None:
    script = """
(with-current-buffer (find-file-noselect "Pipefile")
  (answer (vector (symbol-name major-mode) comment-start compile-command)))
"""
    assert run(tmp_path, script) == ["pipefile-mode", "# ", "pybuild "]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        (["a: b", "cc x", "cc y"], "a: b\n    cc x\n    cc y"),
        (["python:", "def f():", "pass"], "python:\n    def f():\n        pass"),
        (["a: b", "python:", "if x:", "y"], "a: b\n    python:\n        if x:\n            y"),
        ([".PHONY: a", "x = {1: 2}", "y = 1"], ".PHONY: a\nx = {1: 2}\ny = 1"),
        (["@desc('a: b')", "a: b"], "@desc('a: b')\na: b"),
        (["# a: b", "c: d"], "# a: b\nc: d"),
    ],
)
def test_indentation_while_typing(tmp_path: Path, typed: list[str], wanted: str) -> None:
    script = f"""
(with-temp-buffer
  (pipefile-mode)
  (electric-indent-mode 1)
  (let ((lines (append (json-read-from-string {json.dumps(json.dumps(typed))}) nil)))
    (insert (pop lines))
    (dolist (line lines)
      (call-interactively #'newline)
      (insert line)))
  (answer (buffer-string)))
"""
    assert run(tmp_path, script) == wanted


def test_tab_leads_to_the_margin_and_back(tmp_path: Path) -> None:
    script = """
(with-temp-buffer
  (pipefile-mode)
  (insert "a: b\\n    cc x\\n")
  (let (seen)
    (dotimes (_ 3)
      (setq this-command 'pipefile-indent-line)
      (pipefile-indent-line)
      (push (current-indentation) seen)
      (setq last-command 'pipefile-indent-line))
    (answer (vconcat (nreverse seen)))))
"""
    assert run(tmp_path, script) == [4, 0, 4]


def test_indenting_a_whole_file_changes_nothing(tmp_path: Path) -> None:
    text = (ROOT / "examples" / "weather" / "Pipefile").read_text("utf-8")
    (tmp_path / "Pipefile").write_text(text, encoding="utf-8")
    script = """
(with-current-buffer (find-file-noselect "Pipefile")
  (indent-region (point-min) (point-max))
  (answer (buffer-string)))
"""
    assert run(tmp_path, script) == text


def test_the_index_has_rules_and_variables(tmp_path: Path) -> None:
    text = "x = 1\nsplit parts: p/*: a\n    cut\nb: c\nvalue m: d\n    python:\n        return 1\nall: x: y\n"
    (tmp_path / "Pipefile").write_text(text, encoding="utf-8")
    script = """
(require 'imenu)
(with-current-buffer (find-file-noselect "Pipefile")
  (let ((index (imenu--make-index-alist t)))
    (answer (vector (vconcat (mapcar #'car (cdr (assoc "Variables" index))))
                    (vconcat (delq nil (mapcar (lambda (each) (and (not (consp (cdr each))) (car each)))
                                               index)))))))
"""
    variables, rules = run(tmp_path, script)
    assert variables == ["x"]
    assert {"parts", "all"} <= set(rules) and "b" not in rules


def test_a_compilation_leads_to_the_mistakes(tmp_path: Path) -> None:
    text = "all: a.txt <nothing>\n\na.txt: b.txt\n    cp <input> <outptu>\n"
    (tmp_path / "Pipefile").write_text(text, encoding="utf-8")
    script = f"""
(find-file "Pipefile")
(let* ((compilation-always-kill t)
       (buffer (compilation-start "{sys.executable} -m pybuild --lint"))
       seen)
  (while (process-live-p (get-buffer-process buffer)) (accept-process-output nil 0.05))
  (accept-process-output nil 0.05)
  (dotimes (_ 2)
    (next-error)
    (with-current-buffer (window-buffer (selected-window))
      (push (vector (file-name-nondirectory (or buffer-file-name "")) (line-number-at-pos) (current-column))
            seen)))
  (answer (vconcat (nreverse seen))))
"""
    found = run(tmp_path, script)
    lines = text.splitlines()
    assert found == [
        ["Pipefile", 1, lines[0].index("<nothing>")],
        ["Pipefile", 4, lines[3].index("<outptu>")],
    ]


def test_the_mode_compiles_without_warnings(tmp_path: Path) -> None:
    emacs = shutil.which("emacs")
    if emacs is None:
        pytest.skip("there is no emacs here")
    strict = "(setq byte-compile-error-on-warn t)"
    copy = tmp_path / MODE.name
    shutil.copy(MODE, copy)
    done = subprocess.run(
        [emacs, "-Q", "--batch", "--eval", strict, "-f", "batch-byte-compile", str(copy)],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_mode_knows_each_word() -> None:
    source = MODE.read_text("utf-8")
    for constant, words in [
        ("attributes", "attributes"),
        ("kinds", "kinds"),
        ("builtins", "builtins"),
        ("job-names", "job names"),
        ("file-parts", "file parts"),
    ]:
        found = re.search(rf"\(defconst pipefile-{constant}\s+'\(([^)]*)\)", source)
        assert found is not None
        assert set(re.findall(r'"(\w+)"', found[1])) == WORDS[words]
