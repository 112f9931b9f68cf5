"""Types only: errors, the document tree, Release, Newsroom, the table of formats, the rows of the manifest."""
