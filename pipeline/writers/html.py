"""The release as a web page; it states the files that the other writers made."""

from __future__ import annotations

import msgspec
from markupsafe import Markup
from msgspec import Struct

from pipeline.model.formats import FORMATS, Rendition, media_type
from pipeline.model.release import Related
from pipeline.typography import feed_list as channels
from pipeline.typography.article import DATELINE_MARK
from pipeline.typography.downloads import ORDER, Download, offered
from pipeline.typography.messages import Words, language_territory
from pipeline.typography.templates import render
from pipeline.typography.webpage import POLICY, script, way_to
from pipeline.writers import Job, Made
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


def write(job: Job) -> Made:
    """Set ``job.article`` as a page of its own; all its links but the canonical ones are relative."""
    release, article, words = job.release, job.article, job.words
    anchors = wanted_anchors((*article.body, *article.notes))
    figure = figure_setter(job)
    lead_in = Markup('<span class="dateline">{}</span>{}').format(article.dateline, DATELINE_MARK)
    source = render(
        "release.html.j2",
        article=article,
        words=words,
        summary=release.summary,
        canonical=_address(job),
        alternates=_alternates(job),
        others=_others(job),
        beside=job.beside,
        feed=channels.of_language(release.language, job.newsroom),
        all_feed=channels.whole(job.newsroom),
        locale=language_territory(release.language),
        other_locales=_other_locales(job),
        share_image=share_image(job),
        modified=release.modified.isoformat(),
        json_ld=_json_ld(job),
        css=way_to(job.assets, "page.css", "../"),
        mark=way_to(job.assets, "mark.png", "../"),
        policy=POLICY,
        script=script(),
        downloads=() if release.withdrawn else offered(_to_keep(job), words, later=_later(release.slug)),
        earlier=_earlier(job),
        image=figure(article.image, 0) if article.image else "",
        body=block_html(article.body, str, lead_in if article.dateline else "", figure, anchors, words["table"]),
        notes=block_html(article.notes, str, figure=figure, anchors=anchors, table_label=words["table"]),
    )
    # The blocks are written so that XML accepts them too; in text and attributes ">" is always escaped.
    return Made(source.replace("/>", ">").encode())


def _to_keep(job: Job) -> list[Rendition]:
    """Return the files that are offered; of what was withdrawn there are none."""
    return [made for made in job.made if made.format in ORDER and not job.release.withdrawn]


def _earlier(job: Job) -> list[_Earlier]:
    """Return the earlier revisions of which files are kept, newest first."""
    words = job.words
    return [
        _Earlier(
            words["version"].format(number=words.number(state.revision), date=words.date(state.modified)),
            offered(
                (file for file in state.files if file.format != "json"),
                words,
                f"{job.release.slug}/r{state.revision}/",
                order=("html", *ORDER),
            ),
        )
        for state in reversed(job.past)
        if state.files
    ]


def _later(slug: str) -> list[Rendition]:
    """Return the formats that state the page's own size, and so are made after it."""
    return [Rendition(row.name, row.key(slug), 0, "") for row in FORMATS if "html" in row.after]


def _address(job: Job, slug: str = "") -> str:
    return f"{job.base_url}releases/{slug or job.release.slug}.html"


def _others(job: Job) -> list[_Other]:
    zone, every = job.newsroom.time_zone, job.newsroom.languages
    return [
        _Other(r.slug, r.language, Words(r.language, zone).direction, job.words.language_name(r.language, every))
        for r in job.related
    ]


def _alternates(job: Job) -> list[_Alternate]:
    """Return every language of the release, itself among them; its original is what others are sent to.

    A withdrawn one has none: what replaces it is no version of theirs, and they do not name it either.
    """
    release = job.release
    if not job.related or release.withdrawn:
        return []
    own = _Alternate(release.language, _address(job))
    found = sorted(
        [own, *(_Alternate(r.language, _address(job, r.slug)) for r in job.related)], key=lambda each: each.language
    )
    return [*found, _Alternate("x-default", _address(job, _default(job)))]


def _default(job: Job) -> str:
    """Return the slug of the original; when it was withdrawn, of the text in the newsroom's own language, or else of
    the first by language, so that all that are left send others to the same one."""
    if not job.release.translation_of:
        return job.release.slug
    house = job.newsroom.language
    left = sorted([(job.release.language, job.release.slug), *((r.language, r.slug) for r in job.related)])
    return _original(job) or next((slug for language, slug in left if language == house), left[0][1])


def _original(job: Job) -> str:
    """Return the slug of the release that this one translates, when it is public; empty for the original itself."""
    wanted = job.release.translation_of
    return wanted if any(related.slug == wanted for related in job.related) else ""


def _other_locales(job: Job) -> list[str]:
    """Return the other languages as Open Graph names them, each once and none that is the page's own."""
    if job.release.withdrawn:
        return []
    own = language_territory(job.release.language)
    found = dict.fromkeys(language_territory(related.language) for related in job.related)
    return [name for name in found if name not in ("", own)]


# --- Facts for machines ----------------------------------------------------------------------------------------------


def _json_ld(job: Job) -> Markup:
    """Return the release as a schema.org NewsArticle; there is no type for press releases, so ``genre`` says it."""
    release = job.release
    facts = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "@id": _address(job),
        "url": _address(job),
        "mainEntityOfPage": _address(job),
        "genre": "Press Release",
        "headline": release.title,
        "alternativeHeadline": job.article.subtitle,
        "description": release.summary,
        "datePublished": release.date.isoformat(),
        "dateModified": release.modified.isoformat(),
        "dateline": release.dateline,
        "identifier": release.reference,
        "inLanguage": release.language,
        "keywords": [job.newsroom.topic_label(topic, release.language) for topic in release.topics],
        "image": share_image(job),
        **_translations(job),
        "publisher": _publisher(job),
        "author": _publisher(job),
        "encoding": [
            {
                "@type": "MediaObject",
                "contentUrl": job.base_url + made.key,
                "encodingFormat": media_type(made.key).partition(";")[0],
                "contentSize": f"{made.size} B",
                "sha256": made.sha256,
            }
            for made in _to_keep(job)
        ],
    }
    data = msgspec.json.encode({name: value for name, value in facts.items() if value}).decode()
    # Inside a script element only these can end it or begin a comment.
    escaped = data.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return Markup(escaped)  # noqa: S704  # JSON without < > & is what a script element holds literally


def _translations(job: Job) -> dict[str, object]:
    """Return what leads from the original to its translations, or from one of them to it; withdrawn it is neither."""
    if job.release.withdrawn:
        return {}
    if job.release.translation_of:
        original = [_work(job, related) for related in job.related if related.slug == _original(job)]
        return {"translationOfWork": original[0]} if original else {}
    return {"workTranslation": [_work(job, related) for related in job.related]}


def _work(job: Job, related: Related) -> dict[str, str]:
    return {"@type": "NewsArticle", "@id": _address(job, related.slug), "inLanguage": related.language}


def _publisher(job: Job) -> dict[str, str]:
    facts = {"@type": "Organization", "name": job.newsroom.name, "url": job.newsroom.website}
    if "mark.png" in job.assets:
        facts["logo"] = job.base_url + job.assets["mark.png"]
    return {name: value for name, value in facts.items() if value}
