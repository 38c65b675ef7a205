"""Tests marked `long` run only where `-m` asks for them."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.markexpr:
        return
    skip = pytest.mark.skip(reason="takes minutes: run with `-m long`")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skip)
