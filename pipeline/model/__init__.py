"""The types that all other rooms share: data and the rules that hold for it, no files, network or clock.

document       the document tree: blocks and inlines
release        one press release with its contacts, pictures and corrections
footage        footage notices: shot list, files and what was measured of them
newsroom       the organisation: ``content/newsroom.toml`` as types
formats        the table of formats, of feed formats and of media types
revision       earlier revisions of a release
manifest       the public record: one row for each public release
release_index  which releases a page links to: translations, neighbours, replacement
render_context what all renditions of one run have in common
errors         everything that can go wrong, as a person reads it
"""
