"""Digests of bytes. Part of every start, so it imports next to nothing."""

from __future__ import annotations

import os

from xxhash import xxh3_128_digest

_MAP_FROM = 1 << 16  # below 64 KB a read is cheaper than a memory map

digest_of = xxh3_128_digest


def handle_digest(handle: int, size: int) -> bytes:
    """xxh3-128 of all that an open regular file of about that size (bytes) has. Raises OSError."""
    if size < _MAP_FROM:
        return digest_of(_read_all(handle))
    from mmap import ACCESS_READ, mmap

    with mmap(handle, 0, access=ACCESS_READ) as view:
        return digest_of(view)


def _read_all(handle: int) -> bytes:
    data = os.read(handle, _MAP_FROM)
    if len(data) < _MAP_FROM:
        return data
    chunks = [data]
    while data:
        data = os.read(handle, 1 << 20)
        chunks.append(data)
    return b"".join(chunks)
