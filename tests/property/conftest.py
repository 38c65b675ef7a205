"""Tests marked `long` run only when `-m` asks for them; hypothesis profiles for both suites."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

_UNHURRIED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile(
    "property",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=_UNHURRIED,
)
settings.register_profile(
    "property-long",
    deadline=None,
    print_blob=True,
    suppress_health_check=_UNHURRIED,
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.markexpr:
        return
    skip = pytest.mark.skip(reason="takes minutes: run with `-m long`")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skip)
