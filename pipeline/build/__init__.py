"""Sources in content/ → renditions in output/.

In: a ``CommandContext`` (``context``: folders, newsroom, clock, destination). Out: files in output/, and what is known
of them in the ``BuildState`` (``state``), one SQLite file.

``reading`` reads sources into parsed releases, ``stages`` renders them in one format after the other, in processes of
``worker_pool`` where a release could be slow or huge, or on the Dask ``cluster`` that ``PRESS_DASK`` names;
``fingerprint`` decides what has to be rendered; ``parity`` compares every rendition with its release before it is
stored. ``revisions`` says what may replace a public release, ``translations`` which translations lack a correction,
``published`` keeps the manifest row by row, and ``stored_index`` finds the releases that a page links to, so that a new
release does not cost a look at all of them.
"""
