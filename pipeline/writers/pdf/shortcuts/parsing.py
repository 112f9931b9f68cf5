"""The tree of a document."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

import weasyprint

_NOT_XML = re.compile(r'<pre[^>]*>\s|="[^"<>]*[\r\n\t]')
"""What XML reads in another way than HTML: line ends at the start of code, and within the values of attributes."""
_parse: Callable[..., Any] = weasyprint.tinyhtml5.parse


def _quickly_parse(file: Any, **options: Any) -> Any:
    """Return the tree of a document. What is well-formed XML too is parsed by a library in C."""
    source = file.read()
    if not _NOT_XML.search(source):
        with suppress(ElementTree.ParseError):
            return ElementTree.fromstring(source)  # noqa: S314  # written by Dateline
    return _parse(source, **options)


REPLACED: tuple[tuple[Any, str, Any], ...] = ((weasyprint.tinyhtml5, "parse", _quickly_parse),)
