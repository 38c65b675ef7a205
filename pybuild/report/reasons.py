"""Why a job runs, in words. The only place that has them."""

from __future__ import annotations

import time
from collections.abc import Callable

from pybuild.engine.staleness import Reason
from pybuild.graph import told_name


def sentence(reason: Reason) -> str:
    """A reason as one line, with old and new where there are both."""
    name = told_name(reason.name)
    return _SENTENCES[reason.kind](reason if name == reason.name else reason._replace(name=name))


WHY_NOT = {
    "record": "its recipe and values, {inputs} and {outputs} are as they were recorded",
    "time": "none of {inputs} is newer than {outputs}",
    "check": "its `@uptodate_if` says so",
    "old": "it is taken as old (`-o`)",
}


def short_digest(text: str) -> str:
    """The start of a digest in hex, enough to tell files apart."""
    return text[:12] if text.strip("0") else "absent"


def _changed(what: str) -> Callable[[Reason], str]:
    def tell(reason: Reason) -> str:
        old, new = short_digest(reason.old), short_digest(reason.new)
        return f"{what} `{reason.name}` changed ({old} -> {new})"

    return tell


def _moment(nanoseconds: str) -> str:
    """A time of today by the clock, any other with its date too."""
    number = int(nanoseconds)
    local = time.localtime(number // 10**9)
    date = "" if local[:3] == time.localtime()[:3] else time.strftime("%Y-%m-%d ", local)
    return f"{date}{time.strftime('%H:%M:%S', local)}.{number % 10**9 // 10**6:03d}"


def _newer(reason: Reason) -> str:
    return (
        f"prerequisite `{reason.name}` is newer ({_moment(reason.new)}) "
        f"than the oldest target ({_moment(reason.old)})"
    )


def _value(reason: Reason) -> str:
    return f"`{reason.name}` changed from {_shown(reason.old)} to {_shown(reason.new)}"


def _shown(text: str) -> str:
    return f"`{text}`" if text else "nothing"


_SENTENCES: dict[str, Callable[[Reason], str]] = {
    "always": lambda r: f"`{r.name}` is set",
    "forced": lambda _: "it is forced",
    "phony": lambda _: "it is a task without files",
    "phony-input": lambda r: f"prerequisite `{r.name}` is a task, which always runs",
    "check": lambda r: f"`{r.name}` says that it is not up to date",
    "missing": lambda r: f"`{r.name}` is not there",
    "missing-input": lambda r: f"prerequisite `{r.name}` is not there",
    "no-record": lambda _: "there is no record that it ever finished",
    "interrupted": lambda _: "it was started and did not end well",
    "recipe": lambda _: "its recipe, or code that it calls, changed",
    "value": _value,
    "values": lambda _: "a capture that it uses, or a text filled in for it, changed",
    "input-added": lambda r: f"`{r.name}` is new among its prerequisites",
    "input-removed": lambda r: f"`{r.name}` is no prerequisite any more",
    "inputs-moved": lambda _: "its prerequisites are in another order",
    "input-made": lambda r: f"prerequisite `{r.name}` will be made again",
    "input-newer": _newer,
    "input-changed": _changed("prerequisite"),
    "discovered": _changed("discovered prerequisite"),
    "output-added": lambda r: f"there is no record that it made `{r.name}`",
    "output-changed": _changed("target"),
    "assumed-new": lambda r: f"prerequisite `{r.name}` is taken as changed (`-W`)",
    "wanted": lambda _: "a job that has to run reads it, and it is not there",
}
