"""Both sides of a comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from .sides import Side, gnu_side, pybuild_side


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("makefiles")


@pytest.fixture(scope="module")
def gnu(place: Path) -> Side:
    return gnu_side(place)


@pytest.fixture(scope="module")
def pybuild(place: Path) -> Side:
    return pybuild_side(place)
