"""``make diff``: the words that differ between the revisions of a public release, and between it and ``content/``."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from itertools import pairwise

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console
from pipeline.model.errors import SettingError
from pipeline.model.formats import by_name
from pipeline.model.manifest import Row
from pipeline.publish.fetch import public_file, public_row
from pipeline.publish.word_diff import Passage, differences
from pipeline.typography.article import compose
from pipeline.typography.messages import Messages
from pipeline.writers import RenderInput
from pipeline.writers.ninjs import digests

_COLOURS = {"gone": "\x1b[31;9m{}\x1b[0m", "new": "\x1b[32;1m{}\x1b[0m"}
_PLAIN = {"gone": "[-{}-]", "new": "{{+{}+}}"}
"""As wdiff writes them."""


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Print the differences for RELEASE=."""
    row = public_row(context, "diff")
    if row.withdrawn:
        raise SettingError(f"{row.slug} was withdrawn: its text is not public", f"make history RELEASE={row.slug}")
    texts = [*_public_texts(context, row)]
    if context.state.source(row.slug).is_file():
        texts.append(_source_text(context, row.slug))
    else:
        console.fault(f"warning: public, but not in {context.state.content}/: {row.slug}")
    for (before, old), (after, new) in pairwise(texts):
        console.heading(f"{before} → {after}")
        passages = list(differences(old, new))
        for passage in passages:
            console.line()
            console.line(shown(passage, console))
        console.line("" if passages else "  no word differs")


def _public_texts(context: CommandContext, row: Row) -> Iterator[tuple[str, str]]:
    """Yield name and text of every archived revision and of the newest one."""
    for revision in row.past:
        for file in revision.files:
            if file.format == "text":
                yield f"revision {revision.revision}", public_file(context, file.key, file.sha256).decode()
    key = by_name("text").key(row.slug)
    known = digests(public_file(context, f"releases/{row.slug}.json", row.record))
    yield f"revision {row.revision}, public", public_file(context, key, known.get(key, "")).decode()


def _source_text(context: CommandContext, slug: str) -> tuple[str, str]:
    """Return the source's path, and its text as it would be public. Raises ReleaseError when it is refused."""
    from pipeline.reader import read_release
    from pipeline.writers.text import write

    source, newsroom = context.state.source(slug), context.newsroom
    reading = read_release(source, newsroom, context.now, context.state.films)
    messages = Messages(reading.release.language, newsroom.time_zone)
    address = context.destination.base_url
    article = compose(reading.release, newsroom, messages, base_url=address)
    render_input = RenderInput(reading.release, newsroom, messages, article, reading.pictures, b"", address)
    return str(source), write(render_input).data.decode()


def shown(passage: Passage, console: Console) -> str:
    """Return a passage for a terminal, with colours or the marks of wdiff."""
    marks = _COLOURS if console.colour else _PLAIN
    return "  " + " ".join(marks.get(piece.kind, "{}").format(piece.words) for piece in passage)
