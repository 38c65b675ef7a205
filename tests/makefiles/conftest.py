"""Tests marked `long` run only when `-m` asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.markexpr:
        return
    skip = pytest.mark.skip(reason="takes minutes: run with `-m long`")
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("long"):
            item.add_marker(skip)
