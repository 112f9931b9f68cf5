"""Dateline: one Markdown press release becomes every format, and is published.

content/SLUG.md ──read──▶ Release ──write──▶ output/… ──record──▶ manifest ──plan──▶ apply ──▶ storage ──▶ verify
                 (one parse, one tree)   (one stage a format)            (pure)   (ordered)          (as a stranger)

errors, document, formats         what everything else is said in: faults, the document tree, the table of formats
release, newsroom, words          types: a release, the organisation that issues it, the template's own words
reader/                           bytes → Release: front matter, Markdown, pictures, checks; newsroom.toml → Newsroom
templating, fonts                 the one template environment, the type faces
writers/                          one release → bytes: text, pdf, docx, html, ninjs
site/                             all public releases → bytes: feeds, index page, media-contact footer
manifest, storage, embedded       the public record; the object stores; the store that comes along
workshop, stages                  what lies in output/, which rendition is stale, rendering it
publish, verify                   plan() and apply(); reading everything back as a stranger
__main__                          one sub-command a stage; the only place that prints, exits and handles errors
"""
