"""Our schema and IPTC's own accept and refuse the same records.

IPTC's file is not part of this repository: name it in DATELINE_NINJS_SCHEMA.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.validators import ninjs
from pipeline.writers import ninjs as writer
from tests.support.records import RECORDS

FILE = os.environ.get("DATELINE_NINJS_SCHEMA", "")
pytestmark = pytest.mark.skipif(not FILE, reason="DATELINE_NINJS_SCHEMA does not name IPTC's ninjs-schema_3.1.json")

Place = tuple[str | int, ...]
DROPPED = object()
VALUES: tuple[Any, ...] = (
    "", "Words.", "text", "withheld", "2026", "2026-13", "2026-03-01T25:00:00Z", "2026-03-01T09:30:00Z", "12026-12-31",
    "releases/one", "https://example.org/one", None, True, 0, 1, 9, 10, 100, 101, 1.0, 2.5, [], {}, ["Words."], [{}],
)  # fmt: skip
REAL = {name: writer.record(found) for name, found in RECORDS.items()}


@pytest.fixture(scope="module")
def iptc(tmp_path_factory: pytest.TempPathFactory) -> ninjs.RecordValidator:
    folder = tmp_path_factory.mktemp("validators")
    shutil.copy(FILE, folder / ninjs.SCHEMA_FILE)
    return ninjs.load_validator(folder)


@pytest.fixture(scope="module")
def ours() -> ninjs.RecordValidator:
    return ninjs.load_validator(Path("/nonexistent"))


@pytest.fixture(scope="module")
def definitions() -> dict[str, Any]:
    found = json.loads(Path(FILE).read_text("utf-8"))["$defs"]
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def whole(definitions: dict[str, Any]) -> dict[str, Any]:
    """A record with every property that IPTC's schema knows."""
    record = {name: complete(part, definitions) for name, part in definitions["ninjsType"]["properties"].items()}
    inner = {name: record[name] for name in ("uri", "type", "version", "headlines", "renditions")}
    within = {"name": "Within", "uri": "urn:example:within", "pubStatus": "usable"}
    return record | {"associations": [{"name": "One", "rel": "copy", **inner, "associations": [within]}]}


@pytest.fixture(scope="module")
def names(definitions: dict[str, Any]) -> list[str]:
    """Every name of a property that is in the standard."""
    return sorted(
        {name for each in definitions.values() if isinstance(each, dict) for name in each.get("properties", ())}
    )


def complete(shape: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """Return a value with every property that IPTC's schema knows there, but associations."""
    target = definitions.get(shape.get("$ref", "").rpartition("/")[2], {})
    properties = {**target.get("properties", {}), **shape.get("properties", {})}
    shape = {**target, **shape}
    if shape.get("type") == "array":
        return [complete(shape["items"], definitions)] if "items" in shape else []
    if shape.get("type") == "object":
        return {name: complete(part, definitions) for name, part in properties.items() if name != "associations"}
    if "enum" in shape:
        return shape["enum"][0]
    if "format" in shape:
        return "https://example.org/one" if shape["format"] == "uri" else "2026-03-01T09:30:00Z"
    return {"integer": 1, "number": 1.5}.get(shape.get("type", ""), "2026")


def changes(value: Any, names: list[str], path: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield every change of a record: a property or an item dropped, added or of another type, at every depth."""
    if isinstance(value, dict):
        yield from (((*path, name), "Words.") for name in (*names, "unknown") if name not in value)
    for key, part in parts_of(value):
        for new in (DROPPED, *VALUES):
            yield (*path, key), new
        yield from changes(part, names, (*path, key))


def parts_of(value: Any) -> list[tuple[str | int, Any]]:
    return [*value.items()] if isinstance(value, dict) else [*enumerate(value)] if isinstance(value, list) else []


def changed(record: dict[str, Any], path: Place, new: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(record))
    holder: Any = copy
    for key in path[:-1]:
        holder = holder[key]
    if new is DROPPED:
        del holder[path[-1]]
    else:
        holder[path[-1]] = new
    return copy


def assert_agreed(ours: ninjs.RecordValidator, iptc: ninjs.RecordValidator, record: dict[str, Any]) -> None:
    data = json.dumps(record).encode()
    assert bool(ours(data)) == bool(iptc(data)), (record, ours(data), iptc(data))


@pytest.mark.parametrize("record", REAL.values(), ids=REAL)
def test_every_record_that_we_write_is_valid(iptc: ninjs.RecordValidator, record: dict[str, Any]) -> None:
    assert iptc(json.dumps(record).encode()) == []


def test_both_give_one_verdict_on_every_single_change(
    ours: ninjs.RecordValidator, iptc: ninjs.RecordValidator, whole: dict[str, Any], names: list[str]
) -> None:
    for name, value in whole.items():  # each by itself, so that a fault in one cannot hide a fault in another
        part = {"uri": "urn:example:one", name: value}
        for path, new in changes(part, names):
            assert_agreed(ours, iptc, changed(part, path, new))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_both_give_one_verdict_after_several_changes(
    ours: ninjs.RecordValidator,
    iptc: ninjs.RecordValidator,
    whole: dict[str, Any],
    names: list[str],
    data: st.DataObject,
) -> None:
    whole_or_real = data.draw(st.sampled_from([whole, *REAL.values()]))
    record = {
        name: whole_or_real[name] for name in data.draw(st.sets(st.sampled_from(sorted(whole_or_real)), max_size=3))
    }
    record["uri"] = "urn:example:one"
    for _ in range(data.draw(st.integers(1, 3))):
        if possible := [*changes(record, names)]:
            record = changed(record, *data.draw(st.sampled_from(possible)))
    assert_agreed(ours, iptc, record)
