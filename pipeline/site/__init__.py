"""The site: all public releases → the bytes of feed, newsroom page and media-contact footer."""
