"""A traceback with the values of variables, for the log of a job that failed."""

from __future__ import annotations

import linecache
import os
import reprlib
from collections.abc import Iterator
from types import FrameType, FunctionType, ModuleType, TracebackType

from pybuild.typed import Any

_MOST_FRAMES = 20  # at either end
_MOST_VARIABLES = 100  # of a frame
_LONGEST_LINE = 300  # characters
_MOST_CHAINED = 10
_NOT_TOLD = (ModuleType, FunctionType, type)
_OURS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_OF_PYTHON = os.path.join(os.path.dirname(os.path.abspath(os.__file__)), "")
_INSTALLED = ("site-packages", "dist-packages")


def traceback_with_variables(error: BaseException) -> str:
    """The way of an exception through the code of the user, oldest call first, each frame with its
    variables; what it was raised from stands before it. Never fails."""
    lines = ["", "Variables, by frame:"]
    for each in reversed(list(_chain(error))):
        lines += _told(each)
    return "\n".join(lines) + "\n"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, and those that it was raised from."""
    following: BaseException | None = error
    for _ in range(_MOST_CHAINED):
        if following is None:
            return
        yield following
        hidden = following.__suppress_context__
        following = following.__cause__ or (None if hidden else following.__context__)


def _told(error: BaseException) -> Iterator[str]:
    frames = [each for each in _frames(error.__traceback__) if _is_users(each[0])]
    left_out = len(frames) - 2 * _MOST_FRAMES
    for number, (frame, line) in enumerate(frames):
        if left_out > 0 and number == _MOST_FRAMES:
            yield f"  ... {left_out} more frames ..."
        if left_out <= 0 or not _MOST_FRAMES <= number < _MOST_FRAMES + left_out:
            yield from _frame(frame, line)
    yield _one_line(f"{type(error).__name__}: {_safely(str, error)}")


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _is_users(frame: FrameType) -> bool:
    """Whether a frame runs code that is neither ours, nor Python's, nor installed."""
    name = frame.f_code.co_filename
    if name.startswith("<") or any(each in name for each in _INSTALLED):
        return False
    return not os.path.abspath(name).startswith((_OURS, _OF_PYTHON))


def _frame(frame: FrameType, line: int) -> Iterator[str]:
    code = frame.f_code
    yield f'  File "{code.co_filename}", line {line}, in {code.co_name}'
    text = linecache.getline(code.co_filename, line).strip()
    if text:
        yield _one_line(f"    {text}")
    for name, value in _variables(frame)[:_MOST_VARIABLES]:
        yield _one_line(f"      {name} = {_safely(_SHORT.repr, value)}")


def _variables(frame: FrameType) -> list[tuple[str, Any]]:
    """The variables of a function; of a block those that it names, for it shares its scope with all
    that the build file defines. Without functions, classes and modules."""
    found = dict(frame.f_locals)
    if frame.f_code.co_name == "<module>":
        if frame.f_locals is frame.f_globals:
            found.clear()
        named = [each for each in frame.f_code.co_names if each in frame.f_globals]
        found |= {each: frame.f_globals[each] for each in named}
    return [
        (name, value)
        for name, value in found.items()
        if not (name.startswith("__") or issubclass(type(value), _NOT_TOLD))
    ]


def _safely(tell: Any, value: Any) -> str:
    """What a function that users may have written makes of a value."""
    try:
        return str(tell(value))
    except BaseException as error:  # whatever it does, the log goes on
        return f"<{type(value).__name__}: to tell it raises {type(error).__name__}>"


def _one_line(text: str) -> str:
    text = text.replace("\r", "\\r").replace("\n", "\\n")
    return text if len(text) <= _LONGEST_LINE else f"{text[: _LONGEST_LINE - 3]}..."


# Cuts a container before it is told, not after.
_SHORT = reprlib.Repr()
_SHORT.maxlevel = 4
_SHORT.maxdict = _SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxfrozenset = 20
_SHORT.maxarray = _SHORT.maxdeque = 20
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = _LONGEST_LINE
