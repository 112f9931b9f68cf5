"""From rendered files to a public newsroom: what is uploaded, in which order, and when.

In: a ``CommandContext`` (build state, newsroom, clock, destination) and a ``Progress`` to report to.
Out: objects in the public and the private bucket, and the ``ExitStatus`` of the run.

``fetch`` learns what is public, ``upload`` publishes, ``staging`` stages scheduled releases, ``release_at_instant``
makes them public at their date, ``verification``, ``leak_test`` and ``link_check`` read as an anonymous client,
``sharing`` gives links to embargoed copies. ``plan`` is pure; ``apply``, ``commits`` and ``withdrawal`` write to
storage. Nothing here prints. boto3 is imported only through ``context.store``.
"""
