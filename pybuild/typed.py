"""What modules use of `typing` and `collections.abc` while they run, without what it costs.

`typing.NamedTuple` makes each class by running source that it has written (0.1 to 0.3 ms a class;
a build imports 70 of them), and `typing` itself takes as long as the look at 1,000 files;
`collections` is more than its abstract classes, which Python has imported by itself. For a type
checker these names are the real ones.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable as Callable
    from collections.abc import Collection as Collection
    from collections.abc import Generator as Generator
    from collections.abc import Hashable as Hashable
    from collections.abc import Iterable as Iterable
    from collections.abc import Iterator as Iterator
    from collections.abc import Mapping as Mapping
    from collections.abc import Sequence as Sequence
    from typing import Any as Any
    from typing import Generic as Generic
    from typing import NamedTuple as NamedTuple
    from typing import NoReturn as NoReturn
    from typing import Protocol as Protocol
    from typing import TextIO as TextIO
    from typing import TypeVar as TypeVar
else:
    from _collections import _tuplegetter as field
    from _collections_abc import Callable as Callable
    from _collections_abc import Collection as Collection
    from _collections_abc import Generator as Generator
    from _collections_abc import Hashable as Hashable
    from _collections_abc import Iterable as Iterable
    from _collections_abc import Iterator as Iterator
    from _collections_abc import Mapping as Mapping
    from _collections_abc import Sequence as Sequence

    Any = NoReturn = TextIO = object

    class _OfRecords(type):
        """Makes the class of a record: fields are its annotations, as in `typing.NamedTuple`."""

        def __new__(cls, name, bases, body):
            fields = tuple(body.get("__annotations__", ()))
            body["_field_defaults"] = {each: body[each] for each in fields if each in body}
            body["_fields"] = body["__match_args__"] = fields
            body.setdefault("__slots__", ())
            for place, each in enumerate(fields):
                body[each] = field(place, each)
            return type.__new__(cls, name, bases, body)

    class NamedTuple(tuple, metaclass=_OfRecords):
        """A tuple whose fields have names."""

        def __new__(cls, *values, **named):
            # What makes one fast is written when the first one is made.
            names = ", ".join(cls._fields)
            ending = "," if names else ""
            made = eval(
                f"lambda _cls, {names}: _new(_cls, ({names}{ending}))", {"_new": tuple.__new__}
            )
            made.__defaults__ = tuple(cls._field_defaults.values())
            cls.__new__ = staticmethod(made)
            return made(cls, *values, **named)

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            told = zip(self._fields, self, strict=True)
            return (
                f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in told)})"
            )

        def _replace(self, **changes):
            made = type(self)(*map(changes.pop, self._fields, self))
            if changes:
                raise TypeError(f"no fields: {', '.join(changes)}")
            return made

    class Protocol:
        """The base of a class that says what others are to have."""

        __slots__ = ()

    class Generic:
        """The base of a class that takes a type."""

        __slots__ = ()

        def __class_getitem__(cls, _):
            return cls

    class TypeVar:
        """Stands for a type."""

        def __init__(self, name, **_):
            self.name = name
