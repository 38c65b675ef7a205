"""Regular expressions that are compiled when they are first used.

A start needs few of all those that there are, and `re` itself takes a while to import. For a type
checker `regex` is `re.compile`.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from re import compile as regex
else:
    _METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub")

    class _Late:
        """A pattern. Its methods are those of the compiled one from their first use on."""

        def __init__(self, source, flags):
            self._source = source
            self._flags = flags

        def __getattr__(self, name):
            import re

            compiled = re.compile(self._source, self._flags)
            for each in _METHODS:
                setattr(self, each, getattr(compiled, each))
            return getattr(compiled, name)

    def regex(source, flags=0):
        return _Late(source, flags)


__all__ = ["regex"]
