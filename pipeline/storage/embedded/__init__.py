"""The embedded store: SeaweedFS, a real S3 server on this machine, for newsrooms without a storage of their own.

``start(root)`` returns its endpoint, ``stop(root)`` ends it, ``status(root)`` says whether it runs. Its data lies in
``root/.store``. It is used where PRESS_BUCKET is not set; ``pipeline.storage.destination`` decides that.
"""

from __future__ import annotations

from pipeline.storage.embedded.server import ServerStatus, start, status, stop

__all__ = ["ServerStatus", "start", "status", "stop"]
