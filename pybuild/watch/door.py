"""The door of a watch: a socket at which other starts in the project ask whether all is up to date.

It is open between two rounds. Whoever comes during one finds no socket, or is sent away, and looks
for himself. How they talk is in `question`.
"""

from __future__ import annotations

import marshal
import os
import socket
from collections.abc import Callable

from pybuild.engine.key import DOOR
from pybuild.typed import NamedTuple
from pybuild.watch.question import PATIENCE, is_of_our_user

_MOST = 4 << 20  # bytes: no environment is larger
_WAITING = 16  # starts that may wait to be heard


class Question(NamedTuple):
    """What somebody asks of: the key of a load, whether a dry run wants to know, and the
    environment that the load would see."""

    key: bytes
    dry: bool
    environment: dict[str, str]


class Door:
    """A socket of our user's only, in the folder of the project that is the working folder."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._inode = 0

    def open(self) -> bool:
        """Opens it in the place of one that somebody has left; whether that was possible. A file
        system may know no sockets, or the folder be gone."""
        if self._socket is not None:
            return True
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            if os.path.lexists(DOOR):
                os.unlink(DOOR)
            listener.bind(DOOR)
            listener.listen(_WAITING)
            listener.setblocking(False)
            self._inode = os.stat(DOOR).st_ino
        except OSError:
            listener.close()
            return False
        finally:
            os.umask(mask)
        self._socket = listener
        return True

    def close(self) -> None:
        """Closes it, and sends away who waits. The door of another watch is left alone."""
        if self._socket is None:
            return
        self._socket.close()
        self._socket = None
        try:
            if os.stat(DOOR).st_ino == self._inode:
                os.unlink(DOOR)
        except OSError:
            pass

    def fileno(self) -> int:
        """What is ready when somebody has come; -1 if it is closed."""
        return self._socket.fileno() if self._socket else -1

    def visit(self, answer: Callable[[Question], str | None]) -> None:
        """Lets one in, and answers."""
        if self._socket is None:
            return
        try:
            talk, _ = self._socket.accept()
        except OSError:
            return  # he has gone
        with talk:
            try:
                question = _heard(talk)
                said = answer(question) if question else None
                if said:
                    talk.sendall(said.encode("utf-8", "surrogateescape"))
            except OSError:
                pass  # he is gone, or too slow


def _heard(talk: socket.socket) -> Question | None:
    """What is asked; None if that is no question, or not asked by our user. Raises OSError."""
    talk.settimeout(PATIENCE)
    if not is_of_our_user(talk):
        return None
    size = int.from_bytes(_exactly(talk, 4), "little")
    if not 0 < size <= _MOST:
        return None
    try:
        key, dry, environment = marshal.loads(_exactly(talk, size))
    except (ValueError, EOFError, TypeError):
        return None
    return Question(key, dry, environment)


def _exactly(talk: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = talk.recv(size - len(data))
        if not more:
            raise ConnectionError("the question is not whole")
        data += more
    return data
