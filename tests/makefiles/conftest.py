"""Both sides of a comparison. Tests marked `long` run only when `-m` asks for them."""

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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.markexpr:
        return
    skip = pytest.mark.skip(reason="takes minutes: run with `-m long`")
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("long"):
            item.add_marker(skip)
