"""The site: all public releases → every file that shows more than one of them, as bytes by key.

Other rooms use:
listings  the face: keys of all listings, and how they are built from the manifest and the records
archive   which archive pages there are; ``remember`` keeps those that have no release any more
assets    style sheet, logo and web fonts
Inside: pages (newsroom page and archive pages), feeds, contact (media-contact files), sitemap, moved (old addresses),
verify (the page that checks files, and what it looks them up in).

All modules except ``feeds`` import no heavy library: Jinja, Babel and fontTools are loaded when a page is rendered.
"""
