"""What comes before all else: ``install`` sets a machine up, ``quick_start`` makes each process start quickly.

``install`` runs before any package is installed, so both import the standard library only.
"""
