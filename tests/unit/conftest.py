"""How hypothesis is run here: the same examples each time, none of them timed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "unit",
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(autouse=True, scope="package")
def _unit_profile() -> Iterator[None]:
    """The other suites have profiles of their own; this one holds for this folder only."""
    before = settings.default
    settings.load_profile("unit")
    yield
    if before is not None:
        settings.register_profile("before-unit", before)
        settings.load_profile("before-unit")
