"""A published newsroom for the tests of publishing. Modules that need another one have a fixture of the same name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.instants import published
from tests.support.newsroom import Office


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A newsroom with a release that is public; each test has a copy."""
    found = Office(tmp_path_factory.mktemp("first") / "office")
    found.write("before", title="The one before")
    published(found)
    found.end()
    return found


@pytest.fixture
def office(first: Office, tmp_path: Path) -> Iterator[Office]:
    """A copy of the published newsroom."""
    found = first.copy(tmp_path / "office")
    try:
        yield found
    finally:
        found.end()
