"""Runs one process and measures it: wall, CPU, peak memory."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

# What would change how a tool works, or (the last) make Python compile all modules at each start.
UNWANTED = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "NINJA_STATUS", "PYTHONDONTWRITEBYTECODE")

# The peak memory of a process never reads below that of the one that started it, be it by fork or
# by posix_spawn: the kernel keeps the mark over exec. So a small program starts each tool, waits
# and reports. It reads the CPU time of the tool without its children while that is a zombie.
LAUNCHER_C = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double own(pid_t child) {
    char name[64], text[1024];
    unsigned long user, system;
    snprintf(name, sizeof name, "/proc/%d/stat", (int)child);
    FILE *file = fopen(name, "r");
    if (!file) return -1;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    char *rest = strrchr(text, ')');
    if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                        &user, &system) != 2) return -1;
    return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

int main(int count, char **words) {
    struct timespec began, ended;
    struct rusage used;
    siginfo_t told;
    int status;
    if (count < 3) return 2;
    clock_gettime(CLOCK_MONOTONIC, &began);
    pid_t child = fork();
    if (child == 0) { execv(words[2], words + 2); _exit(127); }
    signal(SIGTERM, SIG_IGN);  /* it waits until the tool has ended what it runs */
    waitid(P_PID, child, &told, WEXITED | WNOWAIT);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double self = own(child);
    wait4(child, &status, 0, &used);
    FILE *report = fopen(words[1], "w");
    fprintf(report, "%.9f %.6f %.3f %ld %d\n",
        (ended.tv_sec - began.tv_sec) + (ended.tv_nsec - began.tv_nsec) / 1e9,
        used.ru_utime.tv_sec + used.ru_utime.tv_usec / 1e6
            + used.ru_stime.tv_sec + used.ru_stime.tv_usec / 1e6,
        self, used.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return fclose(report) != 0;
}
"""

LAUNCHER_PYTHON = """
import os, signal, sys, time
began = time.perf_counter()
child = os.fork()
if child == 0:
    try:
        os.execv(sys.argv[2], sys.argv[2:])
    finally:
        os._exit(127)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
_, status, used = os.wait4(child, 0)
wall = time.perf_counter() - began
code = os.waitstatus_to_exitcode(status)
with open(sys.argv[1], "w") as report:
    print(wall, used.ru_utime + used.ru_stime, -1, used.ru_maxrss, abs(code), file=report)
"""


class Usage(NamedTuple):
    """What one process used: seconds of wall and of CPU with its children, seconds of CPU of its
    own (below zero: unknown), MB of the largest single process."""

    wall: float
    cpu: float
    own: float
    memory: float


class FailedRun(Exception):
    """A tool failed, or took too long; the text says which, with the end of its output."""


class Meter:
    """Runs tools in an environment that is the same for all of them."""

    def __init__(self, folder: Path, limit: float) -> None:
        """`folder` is for what the meter needs itself, `limit` how many seconds a run may take."""
        self.limit = limit
        self.log = folder / "log"
        self.report = folder / "report"
        self.environment = {key: text for key, text in os.environ.items() if key not in UNWANTED}
        self.environment["XDG_CACHE_HOME"] = str(folder / "cache")
        self.launcher = _compiled(folder) or [sys.executable, "-I", "-S", "-c", LAUNCHER_PYTHON]

    @property
    def compiled(self) -> bool:
        return len(self.launcher) == 1

    def run(self, words: list[str], folder: Path) -> Usage:
        """Runs a command to its end. Raises FailedRun."""
        self.report.unlink(missing_ok=True)
        with open(self.log, "wb") as log:
            child = subprocess.Popen(
                [*self.launcher, str(self.report), *words],
                cwd=folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                child.wait(self.limit)
            except subprocess.TimeoutExpired:
                raise FailedRun(f"took more than {self.limit:.0f} s") from None
            finally:
                if child.poll() is None:
                    _end(child)
        wall, cpu, own, memory, status = self.report.read_text().split()
        if status != "0":
            text = self.log.read_text(encoding="utf-8", errors="replace")
            raise FailedRun(f"status {status}: {text[-1000:].strip()}")
        return Usage(float(wall), float(cpu), float(own), int(memory) / 1024)

    def printed(self) -> list[str]:
        """The lines that the last run has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends a launcher and what it has started: politely at first, so that a tool ends its jobs."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        os.killpg(child.pid, number)
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            continue
        break


def _compiled(folder: Path) -> list[str]:
    """The launcher in C (1 MB); without a compiler nothing, and Python (9 MB) has to do."""
    compiler = shutil.which("cc")
    if not compiler:
        return []
    source = folder / "launch.c"
    source.write_text(LAUNCHER_C, encoding="utf-8")
    program = folder / "launch"
    done = subprocess.run(
        [compiler, "-O2", "-o", str(program), str(source)], capture_output=True, check=False
    )
    return [str(program)] if done.returncode == 0 else []
