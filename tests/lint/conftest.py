"""An empty folder and the real program in it."""

from ..cli.conftest import place

__all__ = ["place"]
