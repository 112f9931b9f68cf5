"""Old addresses in the real store: nothing before the instant, then a page that leads to the release, or its notice."""

from __future__ import annotations

from tests.support.instants import published
from tests.support.newsroom import Office
from tests.support.public_http import get


def test_an_old_address_answers_from_the_instant_on_and_follows_a_withdrawal(office: Office) -> None:
    office.write("coming", title="Closely guarded", date="2126-01-05T09:00+00:00", was="press/coming.html")
    office.write("moved", was="[press/1999/tapes.html, old.htm]")
    dry = office.make("publish", "DRY_RUN=1")
    assert "press/1999/tapes.html" in dry.out
    assert "press/coming.html" not in dry.text
    base = published(office)
    answer = get(f"{base}press/1999/tapes.html")
    assert (answer[0], answer[1]["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"../../releases/moved.html" in answer[2]
    assert get(f"{base}old.htm")[0] == 200
    assert get(f"{base}press/coming.html")[0] != 200
    assert b"tapes.html" not in get(f"{base}sitemap.xml")[2]
    again = office.make("publish")
    assert "press/1999" not in again.text, "nothing has changed"
    verified = office.make("verify")
    assert verified.status == 0, verified.text
    assert office.make("withdraw", "RELEASE=moved", "REASON=It never moved.").status == 0
    published(office)
    assert get(f"{base}press/1999/tapes.html")[2] == answer[2]
    assert b"It never moved." in get(f"{base}releases/moved.html")[2]
