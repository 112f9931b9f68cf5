"""Dateline: one Markdown press release becomes every format, and is published.

content/SLUG.md ─read→ Release ─write→ output/… ─record→ manifest ─plan→ apply → storage → verify
                (one parse, one tree) (one stage a format)       (pure) (ordered)       (anonymous)

__main__      parse arguments, run one command, turn errors into messages and exit codes
cli/          one file per command; the only place that prints
publish/      manifest, plan, apply, schedule, revisions, withdrawal, sharing, anonymous verification
build/        state, fingerprints, stages, worker processes, parity checks: sources → renditions in output/
reader/       bytes → Release: front matter, Markdown, pictures, checks; newsroom.toml → Newsroom
writers/      one release → bytes: text, PDF, Word, press kit, page, ninjs record
site/         all public releases → bytes: newsroom page, archive, feeds, contacts, sitemap
storage/      the ObjectStore protocol, S3, the embedded store, the doctor (what a storage guarantees)
validators/   external tools that validate the output
typography/   fonts, templates, messages in several languages, image sizes: what writers and site share
model/        types only: errors, document tree, Release, Newsroom, table of formats, manifest
start/        set-up of a machine, before anything is installed; what makes each process start quickly

Rooms import down only: cli → publish → build → (reader, writers, site, storage, validators) → typography → model →
start, and the five in brackets never import each other.
"""
