"""IPTC ninjs 3.1: every record by the standard, which is told here in our own words (https://iptc.org/std/ninjs/).

Whoever has IPTC's own schema file puts it into the judges' folder: then it is heard instead.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.validators import AbsentError, UnableError, ValidationResult

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker

THEIRS = "ninjs-schema_3.1.json"
LIBRARY = "jsonschema"

Shape = dict[str, Any]

TEXT: Shape = {"type": "string"}
WHOLE: Shape = {"type": "integer"}
NUMBER: Shape = {"type": "number"}
URI: Shape = {"type": "string", "format": "uri"}
INSTANT: Shape = {"type": "string", "format": "date-time"}
MOMENT: Shape = {"type": "string", "pattern": r"^-?\d{4,}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?)?)?$"}
"""An instant of which the end may be left out, as far as to the year."""


def closed(texts: str = "", needs: str = "", /, **others: Shape) -> Shape:
    """Return the shape of an object that has these properties only; ``texts`` are those that are plain strings."""
    properties = {**dict.fromkeys(texts.split(), TEXT), **others}
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": needs.split()}


def several(shape: Shape) -> Shape:
    """Return the shape of a list."""
    return {"type": "array", "items": shape}


def word(choice: str) -> Shape:
    """Return the shape of one word out of those listed."""
    return {"enum": choice.split()}


def between(least: int, most: int) -> Shape:
    """Return the shape of a whole number within bounds."""
    return {"type": "integer", "minimum": least, "maximum": most}


def either(*names: str) -> Shape:
    """Return the shape of what has just one of these properties."""
    return {"oneOf": [{"required": [name]} for name in names]}


def _named(texts: str = "name rel literal", /, **others: Shape) -> Shape:
    return several(closed(texts, uri=URI, **others))


_ADDRESS = closed("locality area postalCode country", lines=several(TEXT))
_CONTACTS = several(closed("type role lang name value", address=_ADDRESS) | either("value", "address"))
_SYMBOLS = several(closed("exchange symbol", symbolType=URI))
_ORGANISATIONS = _named(contactInfo=_CONTACTS, symbols=_SYMBOLS)
_RENDITIONS = several(
    closed(
        "name contentType title format aspectRatio videoCodec transportProtocol bitrate",
        "name",
        href=URI,
        **dict.fromkeys(("width", "height", "sizeInBytes"), WHOLE),
        **dict.fromkeys(("duration", "frameRate"), NUMBER),
        poi=closed(x=WHOLE, y=WHOLE),
        scanType=word("progressive interlaced"),
    )
)
_RULE = closed(
    frequency=word("secondly minutely hourly daily weekly monthly yearly"), interval=WHOLE, until=INSTANT, count=WHOLE
)
_DATES = closed(
    "expectedDuration",
    **dict.fromkeys(("startDate", "endDate"), INSTANT),
    **dict.fromkeys(("expectedStartDate", "expectedEndDate"), MOMENT),
    recurrence=closed(recurrenceDates=several(MOMENT), recurrenceRules=several(_RULE)),
) | {"anyOf": [either("startDate", "expectedStartDate"), either("endDate", "expectedEndDate")]}
_KIND = word("text audio video picture graphic composite component event planning")
_STATUS = word("usable withheld canceled")
_PLANNED = several(
    closed(
        "title edNote language",
        uri=URI,
        pubStatus=_STATUS,
        type=_KIND,
        commissioned=closed("by", on=INSTANT, references=several(closed("name value"))),
        dates=_DATES,
        audiences=several(closed("audience", significance=WHOLE)),
        exclAudience=several(TEXT),
        urgency=between(1, 9),
        itemCount=closed(rangeFrom=WHOLE, rangeTo=WHOLE),
        wordCount=WHOLE,
        renditions=_RENDITIONS,
    )
)

PROPERTIES: dict[str, Shape] = {
    **dict.fromkeys(["profile", "version", "language", "title", "by", "slugline", "located", "edNote"], TEXT),
    **dict.fromkeys(("copyrightHolder", "copyrightNotice", "usageTerms"), TEXT),
    **dict.fromkeys(["firstCreated", "versionCreated", "contentCreated", "embargoedUntil", "expires"], INSTANT),
    "uri": URI,
    "standard": closed("name version", schema=URI),
    "type": _KIND,
    "representationType": word("full partial"),
    "pubStatus": _STATUS,
    "urgency": between(1, 9),
    "headlines": several(closed("role contentType value", "value")),
    "descriptions": several(closed("role contentType value", "value")),
    "bodies": several(closed("role contentType value", "value", charCount=WHOLE, wordCount=WHOLE)),
    "people": _named(contactInfo=_CONTACTS),
    "organisations": _ORGANISATIONS,
    "infoSources": _named("name role literal", contactInfo=_CONTACTS),
    "places": _named(contactInfo=_CONTACTS, geoJSON={"type": "object"}),
    "subjects": _named("name rel literal creator", relevance=between(0, 100), confidence=between(0, 100)),
    "genres": several(closed("name uri literal")),
    "objects": _named(),
    "events": _named("id name rel literal"),
    "eventDetails": closed(eventStatus=URI, plannedCoverageStatus=URI, dates=_DATES, organiser=_ORGANISATIONS["items"]),
    "plannedCoverage": _PLANNED,
    "renditions": _RENDITIONS,
    "associations": several({"$ref": "#/$defs/associated"}),
    "altIds": several(closed("role value")),
    "trustIndicators": several(closed("title", role=URI, href=URI)),
    "rightsInfo": closed("encodedRights", langId=URI, linkedRights=URI) | either("linkedRights", "encodedRights"),
    "digitalSourceType": closed("name literal", uri=URI),
}
"""What a record may say, at its root."""
OURS: Shape = {
    **closed("", "uri", **PROPERTIES),
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {"associated": closed("name rel", "name", **PROPERTIES)},
}

_ADDRESSED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~]+")

Judged = Callable[[bytes], list[str]]


def judge(folder: Path, trees: Sequence[Path]) -> ValidationResult:
    """Judge every record."""
    files = sorted(file.resolve() for tree in trees for file in tree.glob("releases/*.json"))
    faults_of = judged(folder)
    return ValidationResult(len(files), [(file, what) for file in files for what in faults_of(file.read_bytes())])


def judged(folder: Path) -> Judged:
    """Return what tells the faults of one record. Raises ``UnableError``."""
    # What the virtual environment holds itself comes first: a set-up for tests has the library already.
    if (library := str(folder / LIBRARY)) not in sys.path:
        sys.path.append(library)
    try:
        from jsonschema import Draft202012Validator, FormatChecker, SchemaError
        from referencing import Registry, Resource
        from referencing.jsonschema import DRAFT202012
    except ImportError as error:
        raise AbsentError(f"no {LIBRARY}") from error
    # Their schema asks the net for GeoJSON's, for a property that we never write.
    geography: Resource[Any] = Resource.from_contents({"type": "object"}, DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("https://geojson.org/schema/GeoJSON.json", geography)
    formats = FormatChecker(formats=())
    _add_formats(formats)
    try:
        schema = _schema(folder)
        Draft202012Validator.check_schema(schema)
    except (OSError, ValueError, SchemaError) as error:
        raise UnableError(f"{THEIRS} is not the schema: {str(error).splitlines()[0]}") from error
    validator = Draft202012Validator(schema, registry=registry, format_checker=formats)
    return lambda data: _faults(validator, data)


def _schema(folder: Path) -> Shape:
    theirs = folder / THEIRS
    if not theirs.is_file():
        return OURS
    schema = json.loads(theirs.read_bytes())
    if not isinstance(schema, dict):
        raise ValueError("no JSON object")
    return schema


def _faults(validator: Draft202012Validator, data: bytes) -> list[str]:
    try:
        record = json.loads(data)
    except ValueError as error:
        return [f"not JSON: {error}"]
    found = sorted(validator.iter_errors(record), key=lambda error: error.json_path)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


def _add_formats(formats: FormatChecker) -> None:
    """Teach what the library leaves to further packages."""
    formats.checks("uri")(is_uri)
    formats.checks("date-time")(is_instant)


def is_uri(value: object) -> bool:
    """Whether a text is an absolute address (RFC 3986); of anything else its type is judged."""
    return not isinstance(value, str) or _ADDRESSED.fullmatch(value) is not None


def is_instant(value: object) -> bool:
    """Whether a text is an instant with its offset (RFC 3339)."""
    if not isinstance(value, str):
        return True
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", value):
        return False
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return True
