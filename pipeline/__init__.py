"""Dateline: one Markdown press release becomes every format, and is published.

content/SLUG.md ──read──▶ Release ──write──▶ output/… ──record──▶ manifest ──plan──▶ apply ──▶ storage ──▶ verify
                 (one parse, one tree)   (one stage a format)            (pure)   (ordered)          (as a stranger)

errors, document, formats         what everything else is said in: faults, the document tree, the table of formats
release, newsroom, words          types: a release, the organisation that issues it, the template's own words
article                           a release dressed with the template's words: what every writer sets
reader/                           bytes → Release: front matter, Markdown, pictures; newsroom.toml → Newsroom
writers/                          one release → bytes: text, pdf, docx, kit, html, ninjs
parity/                           what a finished rendition says beside its article: a difference stops it
templating, fonts, webpage …      what writers and site share: the template environment, the faces, parts of pages
cards                             whom to call, as text and as contact cards
channels                          which feeds there are, in which formats and where they stand, what they are called
archive                           which pages list every release by year and topic, and where they stand
linked                            what pages say of other releases: translations, the one before and the next
site/, listings                   all public releases → bytes: feeds, newsroom page, archive, contacts, sitemap
translations                      those that are behind a correction of their original
segments, darkroom                pictures: what of their bytes may go out; other sizes, in the colours of screens
revision, history, superseded     what a release was before, whether it may be what it is now, what is kept of it
workshop, fingerprint             what lies in output/, and the digest of all that a rendition is made from
reading, stages, pool             the stages: sources → manuscripts → renditions, in children with limits
manifest, settle, ready, plan     the public record; what is public already, what can go up, and why
sharing, offprint                 embargoed copies for those who hold a link
due, embargo, leaks               what waits: set ahead, staged in private, lifted at its instant, and noticed by nobody
publish, commits, succession      carrying it out in ordered groups; the manifest; what is kept, what is taken down
verify                            reading everything back as a stranger
wording                           which words of two texts differ
storage/                          the object stores, the store that comes along, and the view from outside
judges/                           programs from outside that judge what was made, for `make validate`
commands/, __main__               one sub-command a make target; the only place that prints, exits and handles errors
"""
