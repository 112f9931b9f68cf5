"""The social card: a picture with headline, dateline, organisation and mark, for releases without a picture.

WeasyPrint sets it, because that knows the fonts and scripts of the PDF, and PDFium draws it.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil

from PIL import Image

from pipeline.model.errors import RenderError
from pipeline.model.formats import CARD_SIZE
from pipeline.typography import fonts, image_sizes
from pipeline.typography.headline import balanced_width, columns, shortened
from pipeline.typography.templates import render, text_of
from pipeline.writers import Output, RenderInput
from pipeline.writers.pdf import engine

MARK = "mark:"
_SIZES = (84, 72, 62, 54, 46, 40)
"""Pixels of the headline, the largest first that has room for it."""
_LONGEST = 230
"""Characters of the headline."""
_WHITE = 252
"""Level from which a colour of the reduced palette stands for white."""
_ROOM = 1056, 340
"""Pixels for the headline, as in card.css."""
_LINE = 1.14
_TALL = ("Arab", "Deva", "Hebr", "Thai")
"""Scripts with marks above and below the letters."""
_LETTER = 0.52
"""Width of a letter, and of what is lost at the end of a line, for 1 pixel of the headline's size."""
_COLOURS = 32
"""Black, the accent and the steps between them and white are enough, and make the file a third as large."""


@engine.isolated()
def write(render_input: RenderInput) -> Output:
    """Return the card as a PNG of ``CARD_SIZE``. Raises ``RenderError`` when its words have no room."""
    article = render_input.article
    title = shortened(article.title, _LONGEST)
    words = f"{title} {article.organisation} {article.kind} {article.dateline or article.date}"
    scripts = tuple(script.name for script in fonts.coverage(words, article.language).scripts)
    look = _look(render_input.newsroom.accent, scripts)
    declared = {MARK: render_input.mark} if render_input.mark else {}
    with engine.strict(article.slug):
        for size in _sizes(title):
            html = render(
                "card.html.j2",
                article=article,
                title=title,
                size=size,
                width=balanced_width(title, size, _ROOM[0]) or _ROOM[0],
                tall=render_input.messages.script in _TALL,
                mark=MARK if render_input.mark else "",
            )
            pages, pdf = engine.plain_pages(html, look, declared)
            if pages == 1:
                return Output(_drawn(pdf))
    raise RenderError("the headline has no room on the preview picture", "shorten the headline")


def _sizes(title: str) -> tuple[int, ...]:
    """Return the sizes to try: a guess, by the mean width of letters, and all that are smaller."""

    def height(size: int) -> float:
        return ceil(columns(title) * size * _LETTER / _ROOM[0]) * size * _LINE

    return tuple(size for size in _SIZES if height(size) <= _ROOM[1] or size == _SIZES[-1])


@lru_cache(maxsize=engine.CACHED)
def _look(accent: str, scripts: tuple[str, ...]) -> engine.Look:
    sheet = text_of("card.css").replace("var(--accent)", accent)
    families = fonts.families(map(fonts.by_name, scripts))
    for name in families.__struct_fields__:
        sheet = sheet.replace(f"var(--{name})", getattr(families, name))
    return engine.look(sheet + "".join(f".s{size} h1 {{ font-size: {size}px; }}\n" for size in _SIZES), scripts)


def _drawn(pdf: bytes) -> bytes:
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    page = document[0]
    image = page.render(scale=CARD_SIZE[0] / page.get_width()).to_pil().convert("RGB")
    document.close()
    reduced = image.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE)  # four times faster than Pillow's best
    levels = reduced.getpalette() or []
    reduced.putpalette([255 if level >= _WHITE else level for level in levels])
    return image_sizes.saved(reduced, "PNG")
