"""The shot lists of a release as a plain text of their own, for broadcasters, with letterhead and contacts."""

from __future__ import annotations

from pipeline.writers import Output, RenderInput, text


def write(render_input: RenderInput) -> Output:
    """Return shot lists, transcripts and contacts as the plain-text copy of the release has them."""
    return text.copy_of([*text.head(render_input), *text.foot(render_input)])
