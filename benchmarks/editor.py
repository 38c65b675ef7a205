"""How fast the language server is: start to first diagnostics, and what a keystroke costs.

Speaks with servers over their standard streams, as an editor does, so that what an editor waits for
is what is measured: wall time, and the server's CPU time, which says more where the machine has
other things to do (Linux only).

    python benchmarks/editor.py [--keys 100] [--lines 2000]

`just-lsp` is measured beside it where it is installed, on a
justfile of as many lines.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PYBUILD = [sys.executable, "-m", "pybuild", "--lsp"]


class Client:
    """The least of an editor."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._number = 0
        self._told = 0  # the version of the text whose diagnostics were told last

    def send(self, method: str, params: Any, number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        self._write(message)

    def _write(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        """The next message; requests of the server are answered with nothing."""
        assert self.process.stdout
        size = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
        message: dict[str, Any] = json.loads(self.process.stdout.read(size))
        if message.get("method") == "textDocument/publishDiagnostics":
            self._told = max(self._told, message["params"].get("version") or 0)
        if "id" in message and "method" in message:
            self._write({"jsonrpc": "2.0", "id": message["id"], "result": None})
        return message

    def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message = self.read()
            if fits(message):
                return message

    def until_told(self, version: int) -> None:
        """Waits for the diagnostics of a version of the text, if they have not come yet."""
        while self._told < version:
            self.read()

    def request(self, method: str, params: Any) -> dict[str, Any]:
        self._number += 1
        number = self._number
        self.send(method, params, number)
        return self.until(lambda each: each.get("id") == number and "method" not in each)

    def cpu_ms(self) -> float:
        """The CPU time of the server so far, without that of the processes that it has started."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def start(self, folder: Path) -> None:
        capabilities = {"textDocument": {"publishDiagnostics": {"versionSupport": True}}}
        self.request(
            "initialize",
            {"processId": None, "rootUri": folder.as_uri(), "capabilities": capabilities},
        )
        self.send("initialized", {})

    def stop(self) -> None:
        self.request("shutdown", None)
        self.send("exit", None)
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:  # some wait for more
            self.process.kill()


def pipefile(lines: int, jobs: int) -> Iterator[str]:
    """A Pipefile with rules of all sorts; the first makes a job for each of `jobs` files."""
    yield 'cc = "gcc"'
    yield 'flags = ["-O2", "-Wall"]'
    yield "all: <objects>"
    yield ""
    count = 4
    if jobs:
        yield "objects: obj/<n>.o: src/<n>.c"
    else:
        yield "objects: obj/all.o: src/0.c"
    yield "    <cc> <flags> -c <input> -o <output>"
    number = 0
    while count < lines:
        yield ""
        yield f'value{number} = ["a{number}", cc]'
        yield f'@desc("rule {number}")'
        yield f"@resources(cpus={number % 4 + 1})"
        yield f"rule{number}: out{number}/<name>.txt: in{number}/<name>.txt | src/0.c"
        yield "    sort <input> > <output>"
        yield f"    echo {number} <rule> <name> <value{number}>"
        count += 7
        if number % 10 == 0:
            yield f"report{number}.txt: <objects>"
            yield "    python:"
            yield "        rows = [str(each) for each in inputs]"
            yield '        output.write_text("\\n".join(rows))'
            count += 4
        number += 1


def justfile(lines: int) -> Iterator[str]:
    """A justfile of the same shape."""
    yield 'cc := "gcc"'
    yield ""
    count = number = 2
    while count < lines:
        yield f'value{number} := "a{number}" + cc'
        yield ""
        yield f"# rule {number}"
        yield f"rule{number} name='x':"
        yield f"    sort in{number}/{{{{name}}}}.txt > {{{{value{number}}}}}.txt"
        yield f"    echo {number} done"
        yield ""
        count += 7
        number += 1


def measure(
    command: list[str], name: str, language: str, text: str, folder: Path, keys: int, mark: str
) -> dict[str, float]:
    """Seconds to first diagnostics; milliseconds from a keystroke to diagnostics and to completion,
    at the 95th percentile. Keys are typed at the end of `mark`, in the middle of the text."""
    path = folder / name
    path.write_text(text)
    uri = path.as_uri()
    before = time.perf_counter()
    client = Client(command, folder)
    client.start(folder)
    item = {"uri": uri, "languageId": language, "version": 1, "text": text}
    client.send("textDocument/didOpen", {"textDocument": item})
    client.until_told(1)
    first = time.perf_counter() - before
    rows = text.split("\n")
    middle = [number for number, row in enumerate(rows) if mark in row]
    line = middle[len(middle) // 2]
    column = rows[line].index(mark) + len(mark)
    version = 1
    spent: list[float] = []
    told: list[float] = []
    completed: list[float] = []
    for key in range(keys):
        version += 1
        client.send(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": version},
                "contentChanges": [
                    {
                        "range": {
                            "start": {"line": line, "character": column},
                            "end": {"line": line, "character": column},
                        },
                        "text": "abcdefgh"[key % 8],
                    }
                ],
            },
        )
        column += 1
        before_ms = client.cpu_ms()
        typed = time.perf_counter()
        if key % 2:
            place = {"line": line, "character": column}
            client.request(
                "textDocument/completion", {"textDocument": {"uri": uri}, "position": place}
            )
            completed.append(time.perf_counter() - typed)
        client.until_told(version)
        if not key % 2:
            told.append(time.perf_counter() - typed)
            spent.append(client.cpu_ms() - before_ms)
        # As fast as a good typist; every eighth time a moment of thought.
        time.sleep(0.6 if key % 8 == 7 else 0.12)
    client.stop()
    return {
        "start s": first,
        "cpu ms": statistics.mean(spent),
        "diagnostics ms": statistics.quantiles(told, n=20)[-1] * 1000,
        "completion ms": statistics.quantiles(completed, n=20)[-1] * 1000,
    }


def main() -> None:
    """Prints a table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--keys", type=int, default=100)
    arguments.add_argument("--lines", type=int, default=2000)
    of = arguments.parse_args()
    print(
        "| server | project | first diagnostics | diagnostics, p95 | completion, p95 | CPU a key |"
    )
    print("|---|---|---|---|---|---|")
    for jobs in (0, 10_000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "src").mkdir()
            for number in range(max(1, jobs)):
                (folder / f"src/{number}.c").touch()
            text = "\n".join(pipefile(of.lines, jobs)) + "\n"
            found = measure(PYBUILD, "Pipefile", "pipefile", text, folder, of.keys, "echo ")
            _row("pybuild --lsp", f"{of.lines} lines, {jobs or 'few'} jobs", found)
    just = shutil.which("just-lsp")
    if just:
        with tempfile.TemporaryDirectory() as name:
            text = "\n".join(justfile(of.lines)) + "\n"
            found = measure([just], "justfile", "just", text, Path(name), of.keys, "echo ")
            _row("just-lsp", f"{of.lines} lines", found)


def _row(server: str, project: str, found: dict[str, float]) -> None:
    print(
        f"| {server} | {project} | {found['start s']:.2f} s | {found['diagnostics ms']:.0f} ms "
        f"| {found['completion ms']:.0f} ms | {found['cpu ms']:.0f} ms |",
        flush=True,
    )


if __name__ == "__main__":
    main()
