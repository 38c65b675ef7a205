"""Services: started when up to date, started anew when what they need has changed, ended with the
watch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Box, Watcher, wait_for
from .test_saving import processes_in

SERVE = """
all: app serve other.txt

app: app.c
    cp <input> <output>

@service
serve: app config
    echo "serving $(cat app)"; echo $$ > pid; trap 'exit 3' TERM; while :; do sleep 0.05; done

other.txt: other.in
    cp <input> <output>
"""


def serving(box: Box, text: str = SERVE) -> Watcher:
    box.put("Pipefile", text)
    box.put("app.c", "one")
    box.put("config", "config")
    box.put("other.in", "other")
    return box.watch()


def states(watcher: Watcher) -> list[str]:
    return [each["state"] for each in watcher.events if each["event"] == "service"]


def until_said(watcher: Watcher, text: str) -> None:
    while watcher.until("said")[-1]["text"] != text:
        pass


def pid(box: Box) -> int:
    wait_for(lambda: (box.folder / "pid").exists() and bool(box.text("pid").strip()))
    return int(box.text("pid"))


def is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_is_started_when_what_it_needs_is_made(box: Box) -> None:
    watcher = serving(box)
    until_said(watcher, "serving one\n")
    assert states(watcher) == ["started"]
    made = [each["job"] for each in watcher.events if each["event"] == "finished"]
    assert "app" in made
    assert "serve" not in made


def test_it_is_started_anew_when_what_it_needs_has_changed(box: Box) -> None:
    watcher = serving(box)
    until_said(watcher, "serving one\n")
    first = pid(box)
    (box.folder / "pid").unlink()
    box.put("app.c", "two")
    until_said(watcher, "serving two\n")
    assert states(watcher) == ["started", "stopped", "started"]
    assert pid(box) != first
    assert not is_alive(first)
    box.put("config", "another")
    until_said(watcher, "serving two\n")
    assert states(watcher) == ["started", "stopped", "started", "stopped", "started"]


def test_other_changes_leave_it_alone(box: Box) -> None:
    watcher = serving(box)
    until_said(watcher, "serving one\n")
    box.put("other.in", "changed")
    watcher.until_started("other.txt")
    watcher.settle()
    box.put("app.c", "broken")
    box.put("Pipefile", SERVE.replace("cp <input> <output>", "false", 1))
    watcher.until("summary")
    watcher.settle()
    assert states(watcher) == ["started"]
    assert is_alive(pid(box))


def test_another_recipe_is_another_service(box: Box) -> None:
    watcher = serving(box)
    until_said(watcher, "serving one\n")
    box.put("Pipefile", SERVE.replace("serving", "selling"))
    until_said(watcher, "selling one\n")
    assert states(watcher) == ["started", "stopped", "started"]


def test_one_whose_rule_goes_is_ended(box: Box) -> None:
    watcher = serving(box)
    until_said(watcher, "serving one\n")
    number = pid(box)
    box.put("Pipefile", "all: app\napp: app.c\n    cp <input> <output>\n")
    assert watcher.until("service")[-1]["state"] == "ended"
    assert not is_alive(number)


def test_one_that_ends_is_started_again_later_each_time(box: Box) -> None:
    watcher = serving(box, "all: serve\n@service\nserve:\n    echo here; exit 4\n")
    notes = []
    while len(notes) < 2:
        event = watcher.until("service")[-1]
        if event["state"] == "ended":
            notes.append(event["note"])
    assert notes == [
        "exit status 4; started again in 0.5 s",
        "exit status 4; started again in 1 s",
    ]


def test_one_that_cannot_be_started(box: Box) -> None:
    watcher = serving(box, 'all: serve\n@service\n@shell("no-such-shell")\nserve:\n    echo\n')
    watcher.until("service")
    assert "no-such-shell" in watcher.until("service")[-1]["note"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_watch(box: Box, signum: int) -> None:
    watcher = serving(box)
    until_said(watcher, "serving one\n")
    number = pid(box)
    watcher.stop(signum)
    wait_for(lambda: not is_alive(number))
    wait_for(lambda: not processes_in(box.folder))


def test_one_that_does_not_mind_being_asked_to_end(box: Box) -> None:
    watcher = serving(box, SERVE.replace("'exit 3'", "''"))
    until_said(watcher, "serving one\n")
    first = pid(box)
    box.put("app.c", "two")
    until_said(watcher, "serving two\n")
    assert not is_alive(first)
    assert watcher.stop() == -signal.SIGINT
    assert processes_in(box.folder) == []


def test_one_in_python(box: Box) -> None:
    watcher = serving(
        box,
        "all: serve\n@service\nserve: config\n    python:\n        import time\n"
        "        print('python', input.read_text(), flush=True)\n"
        "        while True:\n            time.sleep(0.05)\n",
    )
    until_said(watcher, "python config\n")
    box.put("config", "other")
    until_said(watcher, "python other\n")
    assert watcher.stop() == -signal.SIGINT
    assert processes_in(box.folder) == []


def test_plain_lines_have_its_name_in_front(box: Box) -> None:
    box.put("Pipefile", "all: serve\n@service\nserve:\n    echo one; echo two; sleep 1000\n")
    watcher = box.watch("--format=text")
    lines = [watcher.next()["text"] for _ in range(5)]
    assert "pybuild: service `serve` started\n" in lines
    assert [line for line in lines if "|" in line] == ["serve | one\n", "serve | two\n"]


def test_without_a_watch_it_is_a_task(box: Box) -> None:
    box.put("Pipefile", "@service\nserve: config\n    echo serving; exit 5\n")
    box.put("config", "config")
    done = subprocess.run(
        [sys.executable, "-m", "pybuild"],
        cwd=box.folder,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert "serving\n" in done.stdout


def test_one_without_a_recipe(box: Box, tmp_path: Path) -> None:
    box.put("Pipefile", "@service\nserve: config\n")
    box.put("config", "config")
    done = subprocess.run(
        [sys.executable, "-m", "pybuild"],
        cwd=box.folder,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert "this service does nothing" in done.stderr
