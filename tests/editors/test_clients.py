"""The language server in real clients: what is wrong is shown, and is gone when it is mended."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.editors import test_emacs, test_vim

if importlib.util.find_spec("pybuild.lsp") is None or importlib.util.find_spec("pygls") is None:
    pytest.skip(
        "the language server needs `pip install 'pybuild[editor]'`", allow_module_level=True
    )

TEXT = "all: a.txt <nothing>\n\na.txt: b.txt\n    cp <input> <outptu>\n"
SERVER = [sys.executable, "-m", "pybuild", "--lsp"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pipefile").write_text(TEXT, encoding="utf-8")
    (tmp_path / "b.txt").write_text("b\n", encoding="utf-8")
    return tmp_path


NEOVIM = """
lua << END
vim.lsp.config('pybuild', { cmd = vim.json.decode([=[COMMAND]=]) })
vim.lsp.enable('pybuild')
vim.cmd.edit('Pipefile')
local function shown()
  return vim.tbl_map(function(each)
    return { each.code, each.lnum, each.col, each.end_col }
  end, vim.diagnostic.get(0))
end
local function wait(condition)
  return vim.wait(30000, condition, 20)
end
wait(function() return #vim.diagnostic.get(0) >= 2 end)
local before = shown()
local client = vim.lsp.get_clients({ bufnr = 0 })[1]
vim.api.nvim_buf_set_text(0, 3, 15, 3, 23, { '<output>' })
vim.api.nvim_buf_set_text(0, 0, 11, 0, 20, { '' })
wait(function() return #vim.diagnostic.get(0) == 0 end)
local lenses = {}
if client:supports_method('textDocument/codeLens') then
  lenses = client:request_sync('textDocument/codeLens',
    { textDocument = vim.lsp.util.make_text_document_params() }, 30000).result
end
local commands = vim.tbl_map(function(each) return each.command.command end, lenses)
vim.cmd.write()
local run = vim.tbl_filter(function(each)
  return each.command.command == 'pybuild.run' and each.command.arguments[2] == 'a.txt'
end, lenses)[1]
if run then
  client:exec_cmd(run.command, { bufnr = 0 })
  wait(function() return vim.uv.fs_stat('a.txt') ~= nil end)
end
vim.g.answer = {
  made = vim.uv.fs_stat('a.txt') ~= nil,
  root = client.config.root_dir or client.root_dir,
  before = before,
  after = shown(),
  lenses = vim.tbl_filter(function(each) return client.commands[each] ~= nil end, commands),
  all = #commands,
}
client:stop(true)
END
"""


def test_neovim_shows_what_is_wrong(project: Path) -> None:
    beside = Path(sys.executable).parent
    nvim = shutil.which("nvim", path=f"{beside}{os.pathsep}{os.environ['PATH']}")
    if nvim is None:
        pytest.skip("there is no nvim here")
    editor = [nvim, "--headless", "-u", "NONE", "-i", "NONE", "-n"]
    if test_vim.run(editor, project, "let g:answer = has('nvim-0.11')") != 1:
        pytest.skip("this nvim has no vim.lsp.config: it is older than 0.11")
    found = test_vim.run(editor, project, NEOVIM.replace("COMMAND", json.dumps(SERVER)))
    lines = TEXT.splitlines()
    places = sorted((line, start, end) for _, line, start, end in found["before"])
    start = lines[0].index("<nothing>")
    other = lines[3].index("<outptu>")
    assert places == [(0, start, start + 9), (3, other, other + 8)]
    assert all(code.startswith("PB") for code, *_ in found["before"])
    assert found["after"] == []
    assert found["made"] or not found["all"], "the lens has run nothing"
    assert len(found["lenses"]) == found["all"], "a lens without a command in lsp/pybuild.lua"
    assert Path(found["root"]).resolve() == project.resolve()


EMACS = """
(package-initialize)
(require 'eglot)
(add-to-list 'eglot-server-programs '(pipefile-mode . COMMAND))
(setq eglot-sync-connect 30 eglot-autoshutdown t)
(defun shown ()
  (mapcar (lambda (each)
            (vector (line-number-at-pos (flymake-diagnostic-beg each))
                    (buffer-substring-no-properties (flymake-diagnostic-beg each)
                                                    (flymake-diagnostic-end each))))
          (flymake-diagnostics)))
(defun wait-for (count)
  (let ((deadline (+ (float-time) 30)))
    (while (and (/= (length (flymake-diagnostics)) count) (< (float-time) deadline))
      (accept-process-output nil 0.05)
      (flymake-start))))
(find-file "Pipefile")
(apply #'eglot (eglot--guess-contact))
(flymake-mode 1)
(wait-for 2)
(let ((before (vconcat (shown))))
  (goto-char (point-min))
  (while (re-search-forward " <nothing>" nil t) (replace-match ""))
  (while (re-search-forward "<outptu>" nil t) (replace-match "<output>"))
  (eglot--signal-textDocument/didChange)
  (wait-for 0)
  (answer (vector before (vconcat (shown)))))
(set-buffer-modified-p nil)
(eglot-shutdown (eglot-current-server) nil 5)
"""


def test_emacs_shows_what_is_wrong(project: Path) -> None:
    probe = "(package-initialize) (answer (vector (if (require 'eglot nil t) t :json-false)))"
    if test_emacs.run(project, probe, "-q") != [True]:
        pytest.skip("this emacs has no eglot: Debian has it as elpa-eglot")
    command = "(" + " ".join(json.dumps(word) for word in SERVER) + ")"
    before, after = test_emacs.run(project, EMACS.replace("COMMAND", command), "-q")
    assert sorted(before) == [[1, "<nothing>"], [4, "<outptu>"]]
    assert after == []
