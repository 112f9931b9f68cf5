"""Run ``make preview`` as a person does: look at the address that it prints, and end it with Ctrl+C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main(command: list[str]) -> int:
    """Return 0 when the preview came up and ended well."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as file:
            preview = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)
        deadline = time.monotonic() + 120
        while "http://" not in log.read_text("utf-8") and preview.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(preview.pid, signal.SIGINT)
        status = preview.wait(60)
        said = log.read_text("utf-8")
    print(said)
    return 0 if "http://" in said and status in (0, 130, -signal.SIGINT) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
