"""Two releases cannot have stood at one address; the messages name no release but the one to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.in_process import AHEAD, Sandbox, publish, sorted_now

OLD = "press/1999/tapes.html"


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


def refused(sandbox: Sandbox) -> dict[str, list[str]]:
    return {slug: [str(fault) for fault in result.faults] for slug, result in sandbox.read().items() if result.refused}


def test_of_two_sources_the_one_with_the_later_date_is_refused(sandbox: Sandbox) -> None:
    sandbox.write("early", date="2026-03-01T09:00Z", was=OLD)
    sandbox.write("later", date="2026-03-02T09:00Z", was=f"[{OLD.upper().replace('HTML', 'html')}]")
    (said,) = refused(sandbox)["later"]
    assert refused(sandbox).keys() == {"later"}
    assert "later.md:4: was: another release stood at this address too: PRESS/1999/TAPES.html" in said
    assert "early" not in said


def test_a_public_release_keeps_its_old_address(sandbox: Sandbox) -> None:
    sandbox.write("public", date="2026-03-02T09:00Z", was=OLD)
    publish(sandbox)
    sandbox.write("before", date="2026-03-01T09:00Z", was=OLD)
    sandbox.state.drop_release("before")
    (sandbox.content / "public.md").unlink()  # its source is on another machine
    assert refused(sandbox).keys() == {"before"}


def test_a_row_has_the_old_address_only_when_the_release_is_public(sandbox: Sandbox) -> None:
    sandbox.write("public", was=OLD)
    sandbox.write("scheduled", date=AHEAD, was="press/other.html")
    publish(sandbox)
    assert {row.slug: row.was for row in sandbox.published.rows} == {"public": (OLD,)}
    assert sorted_now(sandbox).scheduled == ("scheduled",)
