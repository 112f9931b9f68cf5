"""The folder in which Dateline itself keeps web fonts, which take seconds to make: all runs and workers share it."""

from __future__ import annotations

import sys
from pathlib import Path

FONTS = Path(sys.prefix, "dateline")
