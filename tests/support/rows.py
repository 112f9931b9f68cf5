"""Manifest rows of releases that were made up: what listings, feeds and plans read of a release."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.model.manifest import Row

BASE = "https://press.example.org/"
DAY = datetime(2026, 3, 1, 9, tzinfo=UTC)


def row(slug: str, days: float = 0, **changes: Any) -> Row:
    values: dict[str, Any] = {
        "slug": slug,
        "title": f"Title of {slug}",
        "summary": f"Summary of {slug}.",
        "date": DAY + timedelta(days=days),
        "language": "en-GB",
        "record": "a" * 64,
        "fingerprint": "b" * 64,
        "source": "c" * 64,
        "modified": DAY + timedelta(days=days),
        "sizes": {"pdf": 26_400, "text": 3200, "docx": 14_100, "html": 9000, "json": 3100},
        "pages": 2,
    }
    return Row(**(values | changes))
