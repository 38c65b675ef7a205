"""What modules use of `signal` without its enumerations, which take a while to import. For a type
checker these names are `signal`'s own."""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from signal import *  # noqa: F403
else:
    from _signal import *  # noqa: F403
