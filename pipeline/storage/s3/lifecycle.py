"""How long what lies in the private bucket may lie there: rules that the storage itself carries out.

Nothing relies on them. They clear away what a machine that is no more has staged or shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

STAGED, SHARED = "staged/", "shared/"
DAYS = {STAGED: 400, SHARED: 8}
"""Prefix in the private bucket → days that an object there is kept.

400 outlives a date that is set a year ahead; what waits longer still is staged anew by the first run that misses it.
A shared copy is of no use once its link has ended, which it does after seven days at the latest.
"""


def rules() -> list[dict[str, Any]]:
    """Return the rules as S3 takes them."""
    return [
        {"ID": f"dateline-{prefix.rstrip('/')}", "Status": "Enabled", "Filter": {"Prefix": prefix}}
        | {"Expiration": {"Days": days}}
        for prefix, days in DAYS.items()
    ]


def expiry_days(found: Iterable[Mapping[str, Any]], prefix: str) -> int:
    """Return after how many days the rules remove what begins with ``prefix``; 0 when they never do."""
    days = [
        rule["Expiration"]["Days"]
        for rule in found
        if rule.get("Status") == "Enabled"
        and prefix.startswith(_prefix(rule))
        and rule.get("Expiration", {}).get("Days")
    ]
    return min(days, default=0)


def _prefix(rule: Mapping[str, Any]) -> str:
    """Return with what the keys begin that a rule is for; one by size or tag is for none of ours."""
    chosen = rule.get("Filter", {"Prefix": rule.get("Prefix", "")})
    return str(chosen.get("Prefix", "")) if set(chosen) <= {"Prefix"} else "?"
