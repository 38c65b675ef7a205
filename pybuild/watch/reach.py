"""How far the system tells of changes: not on file systems of other machines, nor without end."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterable

# As /proc/mounts calls them. Changes that other machines make are not told of here.
_NETWORK = frozenset(
    "9p afs beegfs ceph cifs coda drvfs fuse.sshfs fuse.glusterfs fuse.rclone fuse.s3fs "
    "fuse.vmhgfs-fuse fuse.ceph fuse.davfs fuse.curlftpfs glusterfs gpfs lustre ncpfs nfs nfs4 "
    "orangefs prl_fs pvfs2 smb3 smbfs vboxsf virtiofs vmhgfs".split()
)
_MOUNTS = "/proc/mounts"  # a line: device, place, type, and more; format as in fstab(5)
_ESCAPES = {r"\040": " ", r"\011": "\t", r"\012": "\n", r"\134": "\\"}
_IN_CREATE = 0x100  # of linux/inotify.h
_NONE_LEFT = (errno.ENOSPC, errno.EMFILE)


def network_of(folders: Iterable[str]) -> tuple[str, str] | None:
    """The first of the folders that lies on a file system of other machines, with the type of that;
    None if there is none, or that cannot be told here."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as handle:
            mounts = _types(handle.read())
    except OSError:
        return None
    if _NETWORK.isdisjoint(mounts.values()):
        return None
    for folder in folders:
        kind = _type_at(os.path.realpath(folder or "."), mounts)
        if kind in _NETWORK:
            return folder, kind
    return None


def _types(text: str) -> dict[str, str]:
    """The types of file systems, by the place where they are mounted; the last one there counts."""
    found = {}
    for line in text.splitlines():
        _, place, kind, *_ = line.split(" ")
        for escaped, plain in _ESCAPES.items():
            place = place.replace(escaped, plain)
        found[place] = kind
    return found


def _type_at(path: str, mounts: dict[str, str]) -> str:
    """The type of the file system that an absolute path lies on."""
    while path not in mounts and path != "/":
        path = os.path.dirname(path)
    return mounts.get(path, "")


def has_watches_left() -> bool:
    """Whether the system would watch one more folder for us (inotify(7)). Those that it refuses
    to watch are left out without a word."""
    system = ctypes.CDLL(None, use_errno=True)
    if not hasattr(system, "inotify_init1"):
        return True  # another system, with other means
    handle = system.inotify_init1(os.O_CLOEXEC)
    if handle < 0:
        return ctypes.get_errno() not in _NONE_LEFT
    try:
        watch = system.inotify_add_watch(handle, b".", _IN_CREATE)
        return watch >= 0 or ctypes.get_errno() not in _NONE_LEFT
    finally:
        os.close(handle)
