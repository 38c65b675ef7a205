"""What needs itself, found without recursion."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from pybuild.typed import TypeVar

Node = TypeVar("Node", bound=Hashable)


def first_ring(starts: Iterable[Node], needs: Callable[[Node], Iterable[Node]]) -> list[Node]:
    """A ring below some nodes: each needs the next one, and the first is the last one again.
    Empty if there is none."""
    done: set[Node] = set()
    for start in starts:
        path: dict[Node, Iterator[Node]] = {}
        node: Node | None = start
        while True:
            if node in path:
                ring = list(path)
                return [*ring[ring.index(node) :], node]
            if node is not None and node not in done:
                path[node] = iter(needs(node))
            if not path:
                break
            last = next(reversed(path))
            node = next(path[last], None)
            if node is None:
                done.add(last)
                del path[last]
    return []
