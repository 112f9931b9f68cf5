"""The release as a web page; it states the files that the other writers made."""

from __future__ import annotations

import msgspec
from markupsafe import Markup
from msgspec import Struct

from pipeline.model.formats import FORMATS, Rendition, media_type
from pipeline.model.release import Related
from pipeline.typography import feed_list
from pipeline.typography.article import DATELINE_MARK
from pipeline.typography.downloads import ORDER, Download, list_downloads
from pipeline.typography.messages import Messages, language_territory
from pipeline.typography.templates import POLICY, asset_href, render, script
from pipeline.writers import Output, RenderInput
from pipeline.writers.anchors import wanted_anchors
from pipeline.writers.html_pictures import figure_setter, share_image
from pipeline.writers.markup import block_html


class _Alternate(Struct, frozen=True):
    language: str
    href: str


class _Other(Struct, frozen=True):
    slug: str
    language: str
    direction: str
    label: str


class _Earlier(Struct, frozen=True):
    """A revision that was superseded, and its files."""

    label: str
    downloads: tuple[Download, ...]


def write(render_input: RenderInput) -> Output:
    """Set ``job.article`` as a page of its own; all its links but the canonical ones are relative."""
    release, article, messages = render_input.release, render_input.article, render_input.messages
    anchors = wanted_anchors((*article.body, *article.notes))
    figure = figure_setter(render_input)
    lead_in = Markup('<span class="dateline">{}</span>{}').format(article.dateline, DATELINE_MARK)
    source = render(
        "release.html.j2",
        article=article,
        messages=messages,
        summary=release.summary,
        canonical=_address(render_input),
        alternates=_alternates(render_input),
        others=_others(render_input),
        neighbours=render_input.neighbours,
        feed=feed_list.language_feed(release.language, render_input.newsroom),
        main_feed=feed_list.main_feed(render_input.newsroom),
        locale=language_territory(release.language),
        other_locales=_other_locales(render_input),
        share_image=share_image(render_input),
        modified=release.modified.isoformat(),
        json_ld=_json_ld(render_input),
        css=asset_href(render_input.assets, "page.css", "../"),
        mark=asset_href(render_input.assets, "mark.png", "../"),
        policy=POLICY,
        script=script("page.js"),
        downloads=()
        if release.withdrawn
        else list_downloads(_to_keep(render_input), messages, later=_later(release.slug)),
        earlier=_earlier(render_input),
        image=figure(article.image, 0) if article.image else "",
        body=block_html(article.body, str, lead_in if article.dateline else "", figure, anchors, messages["table"]),
        notes=block_html(article.notes, str, figure=figure, anchors=anchors, table_label=messages["table"]),
    )
    # The blocks are written so that XML accepts them too; in text and attributes ">" is always escaped.
    return Output(source.replace("/>", ">").encode())


def _to_keep(render_input: RenderInput) -> list[Rendition]:
    """Return the files that are offered; of what was withdrawn there are none."""
    return [made for made in render_input.made if made.format in ORDER and not render_input.release.withdrawn]


def _earlier(render_input: RenderInput) -> list[_Earlier]:
    """Return the earlier revisions of which files are kept, newest first."""
    messages = render_input.messages
    return [
        _Earlier(
            messages["version"].format(number=messages.number(state.revision), date=messages.date(state.modified)),
            list_downloads(
                (file for file in state.files if file.format != "json"),
                messages,
                f"{render_input.release.slug}/r{state.revision}/",
                order=("html", *ORDER),
            ),
        )
        for state in reversed(render_input.past)
        if state.files
    ]


def _later(slug: str) -> list[Rendition]:
    """Return the formats that state the page's own size, and so are made after it."""
    return [Rendition(row.name, row.key(slug), 0, "") for row in FORMATS if "html" in row.after]


def _address(render_input: RenderInput, slug: str = "") -> str:
    return f"{render_input.base_url}releases/{slug or render_input.release.slug}.html"


def _others(render_input: RenderInput) -> list[_Other]:
    zone, every = render_input.newsroom.time_zone, render_input.newsroom.languages
    return [
        _Other(
            r.slug,
            r.language,
            Messages(r.language, zone).direction,
            render_input.messages.language_name(r.language, every),
        )
        for r in render_input.related
    ]


def _alternates(render_input: RenderInput) -> list[_Alternate]:
    """Return every language of the release, itself among them; its original is what others are sent to.

    A withdrawn one has none: what replaces it is no version of theirs, and they do not name it either.
    """
    release = render_input.release
    if not render_input.related or release.withdrawn:
        return []
    own = _Alternate(release.language, _address(render_input))
    found = sorted(
        [own, *(_Alternate(r.language, _address(render_input, r.slug)) for r in render_input.related)],
        key=lambda each: each.language,
    )
    return [*found, _Alternate("x-default", _address(render_input, _default(render_input)))]


def _default(render_input: RenderInput) -> str:
    """Return the slug of the original; when it was withdrawn, of the text in the newsroom's own language, or else of
    the first by language, so that all that are left send others to the same one."""
    if not render_input.release.translation_of:
        return render_input.release.slug
    render_context = render_input.newsroom.language
    left = sorted(
        [
            (render_input.release.language, render_input.release.slug),
            *((r.language, r.slug) for r in render_input.related),
        ]
    )
    return _original(render_input) or next((slug for language, slug in left if language == render_context), left[0][1])


def _original(render_input: RenderInput) -> str:
    """Return the slug of the release that this one translates, when it is public; empty for the original itself."""
    wanted = render_input.release.translation_of
    return wanted if any(related.slug == wanted for related in render_input.related) else ""


def _other_locales(render_input: RenderInput) -> list[str]:
    """Return the other languages as Open Graph names them, each once and none that is the page's own."""
    if render_input.release.withdrawn:
        return []
    own = language_territory(render_input.release.language)
    found = dict.fromkeys(language_territory(related.language) for related in render_input.related)
    return [name for name in found if name not in ("", own)]


# --- Facts for machines ----------------------------------------------------------------------------------------------


def _json_ld(render_input: RenderInput) -> Markup:
    """Return the release as a schema.org NewsArticle; there is no type for press releases, so ``genre`` says it."""
    release = render_input.release
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
        "identifier": release.reference,
        "inLanguage": release.language,
        "keywords": [render_input.newsroom.topic_label(topic, release.language) for topic in release.topics],
        "image": share_image(render_input),
        **_translations(render_input),
        "publisher": _publisher(render_input),
        "author": _publisher(render_input),
        "encoding": [
            {
                "@type": "MediaObject",
                "contentUrl": render_input.base_url + made.key,
                "encodingFormat": media_type(made.key).partition(";")[0],
                "contentSize": f"{made.size} B",
                "sha256": made.sha256,
            }
            for made in _to_keep(render_input)
        ],
    }
    data = msgspec.json.encode({name: value for name, value in facts.items() if value}).decode()
    # Inside a script element only these can end it or begin a comment.
    escaped = data.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return Markup(escaped)  # noqa: S704  # JSON without < > & is what a script element holds literally


def _translations(render_input: RenderInput) -> dict[str, object]:
    """Return what leads from the original to its translations, or from one of them to it; withdrawn it is neither."""
    if render_input.release.withdrawn:
        return {}
    if render_input.release.translation_of:
        original = [
            _work(render_input, related) for related in render_input.related if related.slug == _original(render_input)
        ]
        return {"translationOfWork": original[0]} if original else {}
    return {"workTranslation": [_work(render_input, related) for related in render_input.related]}


def _work(render_input: RenderInput, related: Related) -> dict[str, str]:
    return {"@type": "NewsArticle", "@id": _address(render_input, related.slug), "inLanguage": related.language}


def _publisher(render_input: RenderInput) -> dict[str, str]:
    facts = {"@type": "Organization", "name": render_input.newsroom.name, "url": render_input.newsroom.website}
    if "mark.png" in render_input.assets:
        facts["logo"] = render_input.base_url + render_input.assets["mark.png"]
    return {name: value for name, value in facts.items() if value}
