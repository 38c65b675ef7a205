"""The functions that expressions and Python blocks of a Pipefile have without importing them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from pybuild.seen import command_output
from pybuild.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class CommandError(Exception):
    """A command that `run` or `sh` started has failed; `status` is its exit status."""

    def __init__(self, command: str, status: int, stderr: str = "") -> None:
        tail = f": {stderr.strip().splitlines()[-1]}" if stderr.strip() else ""
        super().__init__(f"exit status {status} from `{command}`{tail}")
        self.command = command
        self.status = status


def run(command: str, *files: Any) -> str:
    """Runs a shell command, with the files put behind it (quoted), and returns what it printed.
    Its stderr goes where this job's output goes. Raises CommandError if it fails."""
    import shlex
    import subprocess
    import sys

    sys.stdout.flush()
    line = " ".join([command, *(shlex.quote(os.fspath(each)) for each in files)])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise CommandError(line, done.returncode)
    return done.stdout.decode("utf-8", "surrogateescape")


class LoadTime:
    """What was looked at while loading, so that a kept graph can tell whether it still holds:
    environment variables, outputs of commands, globs (with what they gave).

    `find` gives the files that match a glob, with those that rules will make; `find_now` those
    that are on disk, which is what a recipe sees that runs in another process. `unwatched` is put
    around commands: what they print counts, not how they are started.
    """

    def __init__(
        self,
        environment: dict[str, str],
        find: Callable[[str], list[str]],
        find_now: Callable[[str], list[str]],
        unwatched: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.unwatched = unwatched
        self.environment = environment
        self.find = find
        self.find_now = find_now
        self._process = os.getpid()
        self.variables_read: dict[str, str | None] = {}
        self.commands: dict[str, str] = {}
        self.globs: dict[str, list[str]] = {}

    def names(self) -> dict[str, Any]:
        """The builtins by name."""
        return {
            "glob": self.glob,
            "env": self.env,
            "sh": self.sh,
            "read": self.read,
            "config": self.config,
            "run": run,
        }

    def glob(self, pattern: Any) -> list[str]:
        """The files that match a pattern, sorted; files that rules will make are among them."""
        text = os.fspath(pattern)
        if os.getpid() != self._process:
            return self.find_now(text)
        found = self.find(text)
        self.globs[text] = found
        return list(found)

    def env(self, name: str, default: Any = "") -> Any:
        """An environment variable, or the default."""
        value = self.environment.get(name)
        self.variables_read[name] = value
        return default if value is None else value

    def knows(self, name: str) -> bool:
        """Whether there is an environment variable."""
        self.variables_read[name] = self.environment.get(name)
        return name in self.environment

    def sh(self, command: str) -> str:
        """What a shell command prints, without the newlines at its end; run once a load.
        Raises CommandError if it fails."""
        if command not in self.commands:
            with self.unwatched():
                status, printed, errors = command_output(command)
            if status:
                raise CommandError(command, status, errors)
            self.commands[command] = printed
        return self.commands[command]

    def read(self, path: Any) -> str:
        """The text of a file (UTF-8)."""
        name = os.fspath(path)
        with open(name, encoding="utf-8") as handle:
            return handle.read()

    def config(self, path: Any) -> Any:
        """The data in a TOML, JSON or YAML file, by its extension."""
        name = os.fspath(path)
        text = self.read(name)
        if name.endswith(".toml"):
            import tomllib

            return tomllib.loads(text)
        if name.endswith(".json"):
            import json

            return json.loads(text)
        if name.endswith((".yaml", ".yml")):
            try:
                import yaml
            except ModuleNotFoundError:
                raise RuntimeError(
                    "YAML needs the package PyYAML: pip install 'pybuild[yaml]'"
                ) from None
            return yaml.safe_load(text)
        raise ValueError(f"{name}: a configuration ends in .toml, .json, .yaml or .yml")


def join_values(old: Any, new: Any) -> Any:
    """`+=`: texts with a blank between, lists by element."""
    if isinstance(old, list | tuple):
        more: Sequence[Any] = new if isinstance(new, list | tuple) else [new]
        return [*old, *more]
    if isinstance(new, list | tuple):
        return [old, *new]
    if isinstance(old, str) and isinstance(new, str):
        return f"{old} {new}" if old and new else old or new
    return old + new
