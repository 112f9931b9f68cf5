"""The release page: the article as HTML, with links to the other renditions and facts for search engines.

All links are relative except those that name the page itself (canonical address, languages, Open Graph, JSON-LD), and
the one to the page where copies are checked: from a copy of this page too, it must lead to the newsroom.
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec
from markupsafe import Markup
from msgspec import Struct

from pipeline.model.document import Figure, plain, walk
from pipeline.model.formats import CARD_SIZE, FORMATS, Rendition, media_type
from pipeline.model.release import FACTS, PANORAMA, Picture, PictureSize
from pipeline.typography import feed_list
from pipeline.typography.article import DATELINE_MARK, Line
from pipeline.typography.contact_cards import CARDS
from pipeline.typography.downloads import ORDER, Download, list_downloads
from pipeline.typography.messages import Messages, bare_credit, language_territory
from pipeline.typography.templates import POLICY, PreviewImage, asset_href, render, script
from pipeline.writers import Output, RenderInput, ninjs
from pipeline.writers.markup import FigureHtml, NoteLinks, block_html, figure_html, linked_headings, referring_blocks
from pipeline.writers.player import links_to_film, players, video_objects

_PAGES = tuple(row.name for row in FORMATS if row.group == "pages")
_PREVIEWS = tuple(row.name for row in FORMATS if row.preview)
_RECORDS = tuple(row.name for row in FORMATS if row.group == "records")


class _Alternate(Struct, frozen=True):
    """A language of the release, for search engines."""

    language: str
    href: str


class _LanguageLink(Struct, frozen=True):
    """A link to the release in another language, for readers."""

    slug: str
    language: str
    direction: str
    label: str


class _EarlierRevision(Struct, frozen=True):
    """An earlier revision whose files are still there."""

    label: str
    downloads: tuple[Download, ...]


def write(render_input: RenderInput) -> Output:
    """Return the page as HTML5."""
    release, article, messages = render_input.release, render_input.article, render_input.messages
    source = render(
        "release.html.j2",
        article=article,
        messages=messages,
        summary=release.summary,
        canonical=_address(render_input),
        alternates=_alternates(render_input),
        others=_language_links(render_input),
        neighbours=render_input.neighbours,
        same_topic=[(messages.date(each.date), each) for each in render_input.same_topic if each.date],
        feed=feed_list.language_feed(release.language, render_input.newsroom),
        main_feed=feed_list.main_feed(render_input.newsroom),
        locale=language_territory(release.language),
        other_locales=_other_locales(render_input),
        share_image=_share_image(render_input),
        modified=release.modified.isoformat(),
        mail=f"mailto:?body={quote(_address(render_input))}",  # the script adds the headline
        call=_call(render_input),
        to_film=links_to_film(render_input),
        films=article.films,
        players=players(render_input),
        film_script=script("film.js"),
        shot_list=lambda film: block_html(film.shot_list, table_label=film.heading),
        card="" if _own_contacts(render_input) else f"../{CARDS}",
        json_ld=_json_ld(render_input),
        css=asset_href(render_input.assets, "page.css", "../"),
        mark=asset_href(render_input.assets, "mark.png", "../"),
        policy=POLICY,
        script=script("page.js"),
        downloads=()
        if release.withdrawn
        else list_downloads(_offered(render_input), messages, later=_later(render_input)),
        earlier=_earlier_revisions(render_input),
        **_text(render_input),
    )
    # The blocks are valid XML too; HTML needs no slash. In texts and attributes ">" is always escaped.
    return Output(source.replace("/>", ">").encode())


def _text(render_input: RenderInput) -> dict[str, Markup | str]:
    """Return lead picture, body and notes to editors as the template names them."""
    article, messages = render_input.article, render_input.messages
    anchors = linked_headings((*article.body, *article.notes))
    notes = NoteLinks(referring_blocks(article), messages["back_to_text"])
    figure = _figure_renderer(render_input, notes)
    dateline = Markup('<span class="dateline">{}</span>{}').format(article.dateline, DATELINE_MARK)
    return {
        "image": figure(article.image, 0) if article.image else "",
        "body": block_html(
            article.body,
            str,
            dateline if article.dateline else "",
            figure,
            anchors,
            messages["table"],
            notes=notes,
            notes_label=messages["footnotes"],
        ),
        "notes": block_html(
            article.notes,
            str,
            figure=figure,
            anchors=anchors,
            notes=notes,
            table_label=f"{messages['notes_to_editors']}: {messages['table']}",
        ),
    }


def _offered(render_input: RenderInput) -> list[Rendition]:
    """Return the renditions that readers may download; a withdrawn release has none."""
    return [each for each in render_input.renditions if each.format in ORDER and not render_input.release.withdrawn]


def _earlier_revisions(render_input: RenderInput) -> list[_EarlierRevision]:
    """Return the earlier revisions of which files are archived, newest first."""
    messages = render_input.messages
    return [
        _EarlierRevision(
            messages.fill("version", number=messages.number(each.revision), date=messages.date(each.modified)),
            list_downloads(
                (file for file in each.files if file.format not in _RECORDS),
                messages,
                f"{render_input.release.slug}/r{each.revision}/",
                order=(*_PAGES, *ORDER),
            ),
        )
        for each in reversed(render_input.past)
        if each.files
    ]


def _later(render_input: RenderInput) -> list[Rendition]:
    """Return the formats that are rendered after the page, with the size of the record."""
    slug = render_input.release.slug
    found = [Rendition(row.name, row.key(slug), 0, "") for row in FORMATS if set(_PAGES).intersection(row.after)]
    return [msgspec.structs.replace(each, size=_record_size(render_input)) if each.format == "json" else each
            for each in found]  # fmt: skip


def _record_size(render_input: RenderInput) -> int:
    """Return the size of the record, which states size and digest of the page; 0 before the other files are rendered.

    Of the page it needs only how many digits its size has: it has five as a rule, and one more or less is one byte.
    """
    if not all(each.size for each in render_input.renditions):
        return 0
    slug = render_input.release.slug
    pages = (Rendition(row.name, row.key(slug), 10_000, "0" * 64) for row in FORMATS if row.name in _PAGES)
    stated = msgspec.structs.replace(render_input, renditions=(*pages, *render_input.renditions))
    return len(ninjs.write(stated).data)


def _call(render_input: RenderInput) -> Line | None:
    """Return the first telephone number of a contact."""
    lines = (line for party in render_input.article.footer.contacts for line in party.lines)
    return next((line for line in lines if line.href.startswith("tel:")), None)


def _own_contacts(render_input: RenderInput) -> bool:
    """Whether the release has other contacts than the newsroom's contact cards."""
    newsroom = render_input.newsroom
    shared = tuple(each for each in newsroom.contacts if each.id in newsroom.default_contacts)
    return {*render_input.release.contacts} != {*shared}


def _address(render_input: RenderInput, slug: str = "") -> str:
    return f"{render_input.base_url}releases/{slug or render_input.release.slug}.html"


def _language_links(render_input: RenderInput) -> list[_LanguageLink]:
    newsroom, messages = render_input.newsroom, render_input.messages
    return [
        _LanguageLink(
            each.slug,
            each.language,
            Messages(each.language, newsroom.time_zone).direction,
            messages.language_name(each.language, newsroom.languages),
        )
        for each in render_input.related
    ]


def _alternates(render_input: RenderInput) -> list[_Alternate]:
    """Return every language of the release, its own included, and the one for readers of any other language.

    A withdrawn release has none: the release that replaces it is no translation of it.
    """
    release = render_input.release
    if not render_input.related or release.withdrawn:
        return []
    own = _Alternate(release.language, _address(render_input))
    others = (_Alternate(each.language, _address(render_input, each.slug)) for each in render_input.related)
    default = _Alternate("x-default", _address(render_input, _default(render_input)))
    return [*sorted([own, *others], key=lambda each: each.language), default]


def _default(render_input: RenderInput) -> str:
    """Return the slug of the text for readers of any other language; all translations must name the same one.

    That is the original. When it was withdrawn, it is the text in the newsroom's own language, or else the first by
    language.
    """
    release = render_input.release
    if not release.translation_of:
        return release.slug
    texts = sorted([(release.language, release.slug), *((each.language, each.slug) for each in render_input.related)])
    own = (slug for language, slug in texts if language == render_input.newsroom.language)
    return _original(render_input) or next(own, texts[0][1])


def _original(render_input: RenderInput) -> str:
    """Return the slug of the release that this one translates, if that is public; else nothing."""
    wanted = render_input.release.translation_of
    return wanted if any(each.slug == wanted for each in render_input.related) else ""


def _other_locales(render_input: RenderInput) -> list[str]:
    """Return the other languages as Open Graph names them, without duplicates and without the page's own."""
    if render_input.release.withdrawn:
        return []
    own = language_territory(render_input.release.language)
    locales = dict.fromkeys(language_territory(each.language) for each in render_input.related)
    return [name for name in locales if name not in ("", own)]


# --- Facts for search engines ----------------------------------------------------------------------------------------


def _json_ld(render_input: RenderInput) -> Markup:
    """Return the release as a schema.org NewsArticle; schema.org has no type for press releases, ``genre`` says it."""
    release, newsroom = render_input.release, render_input.newsroom
    facts = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "@id": _address(render_input),
        "url": _address(render_input),
        "mainEntityOfPage": _address(render_input),
        "genre": "Press Release",
        "headline": release.title,
        "alternativeHeadline": render_input.article.subtitle,
        "description": release.summary,
        "datePublished": release.date.isoformat(),
        "dateModified": release.modified.isoformat(),
        "dateline": release.dateline,
        **{fact.schema: release.facts.get(fact.key, "") for fact in FACTS if fact.schema},
        "inLanguage": release.language,
        "keywords": [newsroom.topic_label(topic, release.language) for topic in release.topics],
        "image": _image_objects(render_input),
        "video": video_objects(render_input),
        **_translations(render_input),
        "publisher": _publisher(render_input),
        "author": _publisher(render_input),
        "encoding": [
            {
                "@type": "MediaObject",
                "contentUrl": render_input.base_url + each.key,
                "encodingFormat": media_type(each.key).partition(";")[0],
                "contentSize": f"{each.size} B",
                "sha256": each.sha256,
            }
            for each in _offered(render_input)
        ],
    }
    data = msgspec.json.encode({name: value for name, value in facts.items() if value}).decode()
    # Inside a script element only these characters can end it or begin a comment.
    escaped = data.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return Markup(escaped)  # noqa: S704  # JSON without < > & may stand in a script element as it is


def _image_objects(render_input: RenderInput) -> list[dict[str, object]] | str:
    """Return the pictures that the page shows, with what it says about them; the preview picture if it shows none."""
    release, article = render_input.release, render_input.article
    blocks = walk((*((article.image,) if article.image else ()), *article.body, *article.notes))
    figures = [block for block in blocks if isinstance(block, Figure)]
    if release.withdrawn or not figures:
        return image.href if (image := _share_image(render_input)) else ""
    first: dict[str, Figure] = {}
    for figure in figures:
        first.setdefault(figure.file, figure)
    return [_image_object(render_input, figure) for figure in first.values()]


def _image_object(render_input: RenderInput, figure: Figure) -> dict[str, object]:
    """Return a picture as search engines read it: at the address at which previews show it."""
    picture = render_input.release.picture(figure.file)
    size, rights = picture.at(_SHARE_WIDTH), picture.rights
    facts: dict[str, object] = {
        "@type": "ImageObject",
        "contentUrl": f"{render_input.base_url}releases/{_picture_link(render_input, size)}",
        "width": size.width,
        "height": size.height,
        "caption": plain(figure.caption),
        "description": figure.alt,
        "creditText": bare_credit(figure.credit),
        "copyrightNotice": rights.copyright,
        "license": rights.rights_page,
        "acquireLicensePage": rights.rights_page,
        "digitalSourceType": picture.source_uri,
    }
    return {name: value for name, value in facts.items() if value}


def _translations(render_input: RenderInput) -> dict[str, object]:
    """Return the link from the original to its translations, or from a translation to its original."""
    release = render_input.release
    if release.withdrawn:
        return {}
    works = {
        each.slug: {"@type": "NewsArticle", "@id": _address(render_input, each.slug), "inLanguage": each.language}
        for each in render_input.related
    }
    if not release.translation_of:
        return {"workTranslation": list(works.values())}
    original = _original(render_input)
    return {"translationOfWork": works[original]} if original else {}


def _publisher(render_input: RenderInput) -> dict[str, str]:
    facts = {"@type": "Organization", "name": render_input.newsroom.name, "url": render_input.newsroom.website}
    if "mark.png" in render_input.assets:
        facts["logo"] = render_input.base_url + render_input.assets["mark.png"]
    return {name: value for name, value in facts.items() if value}


# --- Pictures --------------------------------------------------------------------------------------------------------

# Widths as in page.css: in a narrow window the text column takes 60 %, on a telephone everything but the edges.
_COLUMN = 533
"""Pixels. Width of the text column beside the contacts."""
_EDGES = 43
"""Pixels. Left and right edge of a telephone's screen together."""
_MAX_HEIGHT = 1200
"""Pixels. A tall chart must stay readable, and a page scrolls down anyway."""
_MIN_WIDTH = 320
"""Pixels. A picture is at least this wide, however high it becomes."""
_PANORAMA_HEIGHT = 135
"""Pixels. A panorama scrolls sideways where the screen is too narrow."""
_DEFAULT_WIDTH = 960
"""Pixels. What a browser loads that does not choose from ``srcset``."""
_SHARE_WIDTH = 1200
"""Pixels. For the preview of a link to the page."""
_KINDS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WebP"}


def _figure_renderer(render_input: RenderInput, notes: NoteLinks) -> FigureHtml:
    """Return the function that renders pictures; browsers load the lead picture at once, the others when needed."""

    def figure_of_page(figure: Figure, _depth: int) -> Markup:
        picture = render_input.release.picture(figure.file)
        source = picture.at(round(_DEFAULT_WIDTH * picture.stretch))
        width, height = _shown_size(picture)
        attributes = Markup(' width="{}" height="{}"').format(width, height)
        if len(picture.sizes) > 1:
            choices = ", ".join(f"{_picture_link(render_input, size)} {size.width}w" for size in picture.sizes)
            attributes += Markup(' srcset="{}" sizes="{}"').format(choices, _widths(picture, width))
        if picture.transparent:
            attributes += Markup(' class="transparent"')
        if figure is not render_input.article.image:
            attributes += Markup(' loading="lazy" decoding="async"')
        address = _picture_link(render_input, source)
        return figure_html(
            figure,
            lambda href: address if href == figure.file else href,
            render_input.credit(figure),
            size=attributes,
            original=_link_to_original(render_input, figure, picture),
            scrolls=figure.alt if _scrolls(picture) else "",
            notes=notes,
        )

    return figure_of_page


def _share_image(render_input: RenderInput) -> PreviewImage | None:
    """Return the picture for previews; None when there is none, or it may not be shown."""
    release, article = render_input.release, render_input.article
    figures = (block for block in walk((*article.body, *article.notes)) if isinstance(block, Figure))
    figure = article.image or next(figures, None)
    if release.withdrawn:
        return None
    if figure is None:
        card = next((each for each in render_input.renditions if each.format in _PREVIEWS), None)
        alt = f"{release.title} – {article.organisation}"
        return PreviewImage(render_input.base_url + card.key, *CARD_SIZE, alt) if card else None
    size = release.picture(figure.file).at(_SHARE_WIDTH)
    address = f"{render_input.base_url}releases/{_picture_link(render_input, size)}"
    return PreviewImage(address, size.width, size.height, figure.alt or plain(figure.caption) or release.title)


def _shown_size(picture: Picture) -> tuple[int, int]:
    """Return width and height in pixels of a picture on a page with enough room."""
    source = picture.at(round(_DEFAULT_WIDTH * picture.stretch))
    if _scrolls(picture):
        height = min(source.height, _PANORAMA_HEIGHT)
        return round(height * picture.width / picture.height), height
    width = min(source.width, max(_MIN_WIDTH, round(_MAX_HEIGHT * picture.width / picture.height)))
    return width, max(1, round(width * picture.height / picture.width))


def _scrolls(picture: Picture) -> bool:
    return picture.width >= PANORAMA * picture.height


def _widths(picture: Picture, width: int) -> str:
    """Return the value of ``sizes``: how wide a picture is on which screen."""
    if _scrolls(picture):
        return f"{width}px"
    if width < _COLUMN:
        return f"(min-width: {width + _EDGES}px) {width}px, calc(100vw - {_EDGES}px)"
    return f"(min-width: 952px) {_COLUMN}px, (min-width: 737px) 60vw, calc(100vw - {_EDGES}px)"


def _link_to_original(render_input: RenderInput, figure: Figure, picture: Picture) -> Markup:
    """Return the link to the original picture, with its kind and size; screen readers also hear which picture it is."""
    messages = render_input.messages
    kind = _KINDS[picture.media_type]
    facts = f"{kind}, {messages.pixels(picture.width, picture.height)}, {messages.size(picture.size)}"
    which = figure.alt or plain(figure.caption) or picture.file
    return Markup(
        '<span class="original"><a href="{}" download="{}" type="{}" aria-label="{}: {}">'
        '<span class="format">{}</span> {}</a></span>'
    ).format(
        _picture_link(render_input, picture), picture.file, picture.media_type, f"{messages['download']} {facts}",
        which, messages["download"], facts,
    )  # fmt: skip


def _picture_link(render_input: RenderInput, size: PictureSize | Picture) -> str:
    return f"{render_input.release.slug}/{quote(size.file)}"
