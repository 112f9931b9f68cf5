"""What came with Dateline and must not go out by mistake: the samples, example addresses, the text of ``make new``.

Samples are known by what they say of themselves, not by their bytes, so that they may be edited here without a list to
be kept: the sample newsroom has its name and addresses at example.org, a sample release has a comment in its front
matter. The placeholder text of a new release is that of ``templates/words``, in every language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pipeline.model.document import Inline, Link, inlines_of, walk
from pipeline.model.errors import Fault
from pipeline.model.release import Release

ORGANISATIONS = ("Open Window Archive", "أوبن ويندو")
"""The sample organisation, as newsroom.toml writes it."""
MARK = "# This is a sample that comes with Dateline"
"""How the comment in the front matter of a sample release begins."""
ALLOW = "for a demonstration, set PRESS_ALLOW_SAMPLES=1"
_EXAMPLE = re.compile(r"(?i)(?<![\w-])example\.(?:org|com|net)(?![\w-]|\.\w)")
"""The domains that RFC 2606 reserves for examples: nobody can be reached there."""
_PLACEHOLDERS = ("draft_text", "draft_note")
_SENTENCE = re.compile(r"(?<=[.!?؟。])\s+")


def newsroom_samples(file: Path) -> Iterator[Fault]:
    """Yield a fault for each value of newsroom.toml that is the sample's, or has an example address.

    ``file`` must be one that the reader accepts.
    """
    from pipeline.reader import newsroom_texts

    for key, line, text in newsroom_texts(file):
        if name := next((name for name in ORGANISATIONS if name in text), ""):
            hint = f'write your own; make newsroom NAME="…" makes this newsroom yours; {ALLOW}'
            yield Fault(str(file), line, f"{key}: the sample organisation, {name}", hint)
        elif found := _EXAMPLE.search(text):
            yield Fault(str(file), line, f"{key}: {found[0]} is an example, nobody is there", "write your own address")


def release_samples(file: Path, release: Release | None) -> Iterator[Fault]:
    """Yield a fault for whatever in the source of a release is a sample, a placeholder or an example contact.

    ``release`` is None when the source was refused. Of a withdrawn one only a notice goes out: nothing is reported.
    """
    if release and release.withdrawn:
        return
    text = file.read_text("utf-8-sig", "replace") if file.is_file() else ""
    front = re.split(r"(?m)^---\s*$", text, maxsplit=2)[1:2]
    if front and (mark := re.search(f"(?m)^{MARK}", front[0])):
        hint = f"delete the file; if by now it is a release of your own, delete this line; {ALLOW}"
        yield Fault(str(file), _line(text, text.index(mark[0])), "a sample that comes with Dateline", hint)
    for pattern, sentence in _placeholders():
        if found := pattern.search(text):
            what = f"still has the text of the template: {sentence}"
            yield Fault(str(file), _line(text, found.start()), what, "write your own words, or delete these")
    for address in dict.fromkeys(_contacts(release) if release else ()):
        # Contacts and footage notices of newsroom.toml are not in this file; they are reported there.
        if _EXAMPLE.search(address) and address in text:
            what = f"{address} is an example, nobody is there"
            yield Fault(str(file), _line(text, text.index(address)), what, "write the right address")


def _contacts(release: Release) -> Iterator[str]:
    """Yield the addresses at which a release says that somebody can be reached: of footage, and mail addresses."""
    for footage in release.footage:
        yield from (footage.email, footage.url, footage.preview)
    for block in walk((*release.body, *release.notes)):
        for inlines in inlines_of(block):
            yield from _mail_addresses(inlines)


def _mail_addresses(inlines: tuple[Inline, ...]) -> Iterator[str]:
    for inline in inlines:
        if isinstance(inline, Link) and inline.href.startswith("mailto:"):
            yield inline.href.removeprefix("mailto:").partition("?")[0]
        yield from _mail_addresses(getattr(inline, "children", ()))


@cache
def _placeholders() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return a pattern for each sentence of the template's placeholder text, however its lines are broken."""
    import tomllib

    from pipeline.typography.messages import FOLDER

    tables = [tomllib.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.toml"))]
    texts = [table[name] for table in tables for name in _PLACEHOLDERS if name in table]
    sentences = dict.fromkeys(sentence for text in texts for sentence in _SENTENCE.split(text))
    return tuple((re.compile(r"\s+".join(map(re.escape, sentence.split()))), sentence) for sentence in sentences)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
