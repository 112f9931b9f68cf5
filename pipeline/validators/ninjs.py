"""IPTC ninjs 3.1: validates every record against a schema written from the standard (https://iptc.org/std/ninjs/).

If IPTC's own schema file is in the folder of the validators, it is used instead.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.validators import MissingValidatorError, ValidationResult, ValidatorError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker

SCHEMA_FILE = "ninjs-schema_3.1.json"
LIBRARY = "jsonschema"

Shape = dict[str, Any]

TEXT: Shape = {"type": "string"}
WHOLE: Shape = {"type": "integer"}
NUMBER: Shape = {"type": "number"}
URI: Shape = {"type": "string", "format": "uri"}
INSTANT: Shape = {"type": "string", "format": "date-time"}
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_DAY = rf"(0[1-9]|[12][0-9]|3[01])(T{_CLOCK}:[0-5][0-9](\.[0-9]+)?(Z|[+-]{_CLOCK})?)?"
MOMENT: Shape = {"type": "string", "pattern": rf"^-?([1-9][0-9]*)?[0-9]{{4}}(-(0[1-9]|1[0-2])(-{_DAY})?)?$"}
"""A date and time that may be shortened, down to the year."""
NOTHING: Shape = {"not": {}}
"""No value is valid."""


def closed(texts: str = "", needs: str = "", /, **others: Shape) -> Shape:
    """Return the schema of an object with these properties only; ``texts`` are strings, ``needs`` are required."""
    properties = {**dict.fromkeys(texts.split(), TEXT), **others}
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": needs.split()}


def several(shape: Shape) -> Shape:
    """Return the schema of a list."""
    return {"type": "array", "items": shape}


def word(choice: str) -> Shape:
    """Return the schema of one of these words."""
    return {"enum": choice.split()}


def between(least: int, most: int) -> Shape:
    """Return the schema of a whole number within bounds."""
    return {"type": "integer", "minimum": least, "maximum": most}


def either(*names: str) -> Shape:
    """Return the schema of an object with exactly one of these properties."""
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
    # The standard's schema asks for a list that is a text, so it accepts no dates here; neither do we.
    recurrence=closed(recurrenceDates=NOTHING, recurrenceRules=several(_RULE)),
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
"""The properties of a record."""
OUR_SCHEMA: Shape = {
    **closed("", "uri", **PROPERTIES),
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {"associated": closed("name rel", "name uri", **PROPERTIES)},
}

_OF_HOST = r"(?:[\w.~!$&'()*+,;=-]|%[\dA-Fa-f]{2})"
_OF_PATH = rf"(?:{_OF_HOST}|[:@/])"
_URI = re.compile(
    rf"[A-Za-z][A-Za-z\d+.-]*:(?://(?:(?:{_OF_HOST}|:)*@)?(?:\[[\dA-Fa-f:.]+\]|{_OF_HOST}*)(?::\d*)?(?![^/?#])|(?!//))"
    rf"{_OF_PATH}*(?:\?(?:{_OF_PATH}|\?)*)?(?:#(?:{_OF_PATH}|\?)*)?",
    re.ASCII,
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

RecordValidator = Callable[[bytes], list[str]]
"""Returns the faults of one record."""


def validate(folder: Path, trees: Sequence[Path]) -> ValidationResult:
    """Validate every record."""
    files = sorted(file.resolve() for tree in trees for file in tree.glob("releases/*.json"))
    faults_of = load_validator(folder)
    return ValidationResult(len(files), [(file, what) for file in files for what in faults_of(file.read_bytes())])


def load_validator(folder: Path) -> RecordValidator:
    """Return the validator of a record. Raises ``ValidatorError``."""
    # Appended, because an environment for tests has the library already.
    if (library := str(folder / LIBRARY)) not in sys.path:
        sys.path.append(library)
    try:
        from jsonschema import Draft202012Validator, FormatChecker, SchemaError
        from referencing import Registry, Resource
        from referencing.jsonschema import DRAFT202012
    except ImportError as error:
        raise MissingValidatorError(f"no {LIBRARY}") from error
    # IPTC's schema would load GeoJSON's from the network, for a property that Dateline does not write.
    geography: Resource[Any] = Resource.from_contents({"type": "object"}, DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("https://geojson.org/schema/GeoJSON.json", geography)
    formats = FormatChecker(formats=())
    _add_formats(formats)
    try:
        schema = _schema(folder)
        Draft202012Validator.check_schema(schema)
    except (OSError, ValueError, SchemaError) as error:
        raise ValidatorError(f"{SCHEMA_FILE} is not a valid schema: {str(error).splitlines()[0]}") from error
    validator = Draft202012Validator(schema, registry=registry, format_checker=formats)
    return lambda data: _faults(validator, data)


def _schema(folder: Path) -> Shape:
    file = folder / SCHEMA_FILE
    if not file.is_file():
        return OUR_SCHEMA
    schema = json.loads(file.read_bytes())
    if not isinstance(schema, dict):
        raise ValueError("not a JSON object")
    return schema


def _faults(validator: Draft202012Validator, data: bytes) -> list[str]:
    try:
        record = json.loads(data)
    except ValueError as error:
        return [f"not JSON: {error}"]
    found = sorted(validator.iter_errors(record), key=lambda error: error.json_path)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


def _add_formats(formats: FormatChecker) -> None:
    """Add the formats that the library leaves to other packages."""
    formats.checks("uri")(is_uri)
    formats.checks("date-time")(is_instant)


def is_uri(value: object) -> bool:
    """Return whether a text is an absolute address (RFC 3986); other types are not checked here."""
    return not isinstance(value, str) or _URI.fullmatch(value) is not None


def is_instant(value: object) -> bool:
    """Return whether a text is a date and time with an offset (RFC 3339); other types are not checked here."""
    if not isinstance(value, str):
        return True
    if not _INSTANT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return True
