"""``make pages``: newsroom page, archive, media-contact files and sitemap."""

from __future__ import annotations

import contextlib
from argparse import Namespace
from collections.abc import Mapping

import msgspec

from pipeline.build import fingerprint
from pipeline.build.context import CommandContext, ExitStatus
from pipeline.cli.console import Console, size
from pipeline.cli.stage import add_arguments, finish
from pipeline.model.errors import SettingError
from pipeline.model.manifest import Manifest, digest

__all__ = ["add_arguments", "render_listings", "run", "update_listings"]


def run(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Render the pages if anything that they show has changed."""
    return render_listings(context, options, console)


def render_listings(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Render the feeds, or the pages, and end the stage."""
    update_listings(context, options.command, console)
    return finish(context, options, at_fault=False)


def update_listings(context: CommandContext, command: str, console: Console) -> None:
    """Render the feeds, or the pages, of all records at hand, unless they are rendered already."""
    from pipeline.publish.candidates import local_manifest
    from pipeline.site import listings

    feeds, fact = command == "feed", f"listings of {command}"
    manifest = local_manifest(context)
    if not feeds:
        context.store_assets(unpublished=False)
    render_context = context.render_context(shared=not feeds)
    stamp = fingerprint.of_listings(render_context, manifest)
    if not feeds:
        stamp += f" {listings.valid_until(manifest, render_context)}"
    known, keys = context.state.recall(fact, tuple[str, list[str]], ("", []))
    if known != stamp or not all((context.state.public / key).is_file() for key in keys):
        shared = context.render_context(shared=True)
        if feeds:
            files = listings.feeds(manifest, shared, context.record)
        else:
            files = {**listings.pages(manifest, shared), **_search_files(context, manifest)}
        context.store_listings(files, files.keys())
        context.state.remember(fact, (stamp, sorted(files)))
        for key, data in files.items():
            console.step(command, key, size(len(data)))


def _search_files(context: CommandContext, manifest: Manifest) -> Mapping[str, bytes]:
    """Return the files of the search whose records are all on this machine."""
    from pipeline.site import search

    fact = "search of pages"
    newsroom = msgspec.json.encode(context.newsroom, order="deterministic")
    made_by = digest(fingerprint.of_code("pipeline.site.search") + newsroom)
    same = context.state.recall(fact, str, "") == made_by

    def before(key: str) -> bytes:
        file = context.state.public / key
        return file.read_bytes() if same and file.is_file() else b""

    files: dict[str, bytes] = {}
    for key in search.keys(manifest):
        with contextlib.suppress(SettingError):  # one of the records is on another machine; publish fetches it
            files |= search.files(manifest, context.newsroom, context.record, before, {key})
    context.state.remember(fact, made_by)
    return files
