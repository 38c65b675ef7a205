"""What a start asks a watch of the same project, and how: whether all is up to date. Part of every
start where there is a watch, so it imports next to nothing.

A question is a connection to the socket `DOOR`: its size (u32, little-endian), then a key of
`load_key`, whether a dry run asks, and the environment (marshal, version 4). The answer is a text,
what is to be said of the goals, if all is up to date; else none, and the connection is closed.
"""

from __future__ import annotations

import marshal
import os
from sys import byteorder

from pybuild.engine.key import DOOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

PATIENCE = 0.05  # seconds for each step of the talk, on both sides
_MOST = 1 << 16  # bytes of an answer


def ask(key: bytes, *, dry: bool = False) -> str | None:
    """What a watch says of the goals if they are up to date, by what decides of their load. None if
    it is gone, or does not know."""
    import _socket

    talk = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        talk.settimeout(PATIENCE)
        talk.connect(DOOR)
        if not is_of_our_user(talk):
            return None
        data = marshal.dumps((key, dry, dict(os.environ)), 4)
        talk.sendall(len(data).to_bytes(4, "little") + data)
        said = _all_of(talk)
        return said.decode("utf-8", "surrogateescape") or None
    except OSError:
        return None  # nobody is there any more, or has no time
    finally:
        talk.close()


def _all_of(talk: socket) -> bytes:
    """All that the other side says until it closes. Raises OSError."""
    said = b""
    while len(said) < _MOST:
        more = talk.recv(4096)
        if not more:
            return said
        said += more
    return b""


def is_of_our_user(talk: socket) -> bool:
    """Whether the process on the other side is of the user of this one."""
    import _socket

    # struct ucred (unix(7)): process, user and group, an `int` each.
    peer = talk.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    return int.from_bytes(peer[4:8], byteorder) == os.getuid()
