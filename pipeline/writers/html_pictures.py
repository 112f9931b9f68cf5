"""Pictures on the page: the size that fits the screen, and the original to take away.

Widths are those of ``page.css``: a column of 533 pixels beside the contacts, 60 % of a narrower window, all of a
telephone's but its edges.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from markupsafe import Markup

from pipeline.model.document import Figure, plain
from pipeline.model.release import PANORAMA, Picture, PictureSize
from pipeline.writers import RenderInput
from pipeline.writers.markup import figure_html

COLUMN = 533
"""Pixels in the width of the text column."""
EDGES = 43
"""Pixels that a telephone's screen is wider than the text."""
TALL = 1200
"""Pixels that a picture may be high: a tall chart has to be read, and a page is moved down anyway."""
SLENDER = 320
"""Pixels that a picture is wide at least, however high it is then."""
BROAD = 135
"""Pixels in the height of a panorama, which is moved sideways when the screen is not wide enough."""
PLAIN = 960
"""Width in pixels that is loaded where nobody chooses."""
SHARED = 1200
"""Width in pixels that a picture should have where a link to the page is shown with it."""
_KINDS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WebP"}


def figure_setter(render_input: RenderInput) -> Callable[[Figure, int], Markup]:
    """Return what draws the figures of a release's page; its lead picture is there at once, the others when seen."""

    def draw(figure: Figure, _depth: int) -> Markup:
        picture = render_input.release.picture(figure.file)
        source = picture.at(round(PLAIN * picture.stretch))
        width, height = shown_size(picture)
        attributes = Markup(' width="{}" height="{}"').format(width, height)
        if len(picture.sizes) > 1:
            found = ", ".join(f"{_address(render_input, size)} {size.width}w" for size in picture.sizes)
            attributes += Markup(' srcset="{}" sizes="{}"').format(found, _widths(picture, width))
        if figure is not render_input.article.image:
            attributes += Markup(' loading="lazy" decoding="async"')
        credit = render_input.messages["photo"].format(credit=figure.credit) if figure.credit else ""
        address = _address(render_input, source)
        return figure_html(
            figure,
            lambda href: address if href == figure.file else href,
            credit,
            size=attributes,
            original=_original(render_input, figure, picture),
            scrolls=figure.alt if _scrolls(picture) else "",
        )

    return draw


def share_image(render_input: RenderInput) -> str:
    """Return the absolute address of the release's first picture, or nothing when it may not be shown."""
    image = render_input.article.image
    found = render_input.release.picture(image.file) if image else next(iter(render_input.release.pictures), None)
    if render_input.release.withdrawn or found is None:
        return ""
    return f"{render_input.base_url}releases/{_address(render_input, found.at(SHARED))}"


def shown_size(picture: Picture) -> tuple[int, int]:
    """Return the size in pixels that a picture has on a page with room for it."""
    source = picture.at(round(PLAIN * picture.stretch))
    if _scrolls(picture):
        return round(min(source.height, BROAD) * picture.width / picture.height), min(source.height, BROAD)
    width = min(source.width, max(SLENDER, round(TALL * picture.width / picture.height)))
    return width, max(1, round(width * picture.height / picture.width))


def _scrolls(picture: Picture) -> bool:
    return picture.width >= PANORAMA * picture.height


def _widths(picture: Picture, width: int) -> str:
    """Return how wide a picture is on which screen, as browsers are told."""
    if _scrolls(picture):
        return f"{width}px"
    if width < COLUMN:
        return f"(min-width: {width + EDGES}px) {width}px, calc(100vw - {EDGES}px)"
    return f"(min-width: 952px) {COLUMN}px, (min-width: 737px) 60vw, calc(100vw - {EDGES}px)"


def _original(render_input: RenderInput, figure: Figure, picture: Picture) -> Markup:
    """Return the link to the picture as it came: what it is, how large, and, for those who hear it, which picture."""
    messages = render_input.messages
    kind = _KINDS[picture.media_type]
    facts = f"{kind}, {messages.pixels(picture.width, picture.height)}, {messages.size(picture.size)}"
    which = figure.alt or plain(figure.caption) or picture.file
    return Markup(
        '<span class="original"><a href="{}" download="{}" type="{}" aria-label="{}: {}">'
        '<span class="format">{}</span> {}</a></span>'
    ).format(
        _address(render_input, picture), picture.file, picture.media_type, f"{messages['download']} {facts}", which,
        messages["download"], facts,
    )  # fmt: skip


def _address(render_input: RenderInput, size: PictureSize | Picture) -> str:
    return f"{render_input.release.slug}/{quote(size.file)}"
