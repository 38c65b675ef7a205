"""Hypothesis profiles for the suites that run always and for long ones."""

from __future__ import annotations

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
