"""Where tests keep the web fonts, which take seconds to make: one folder for all runs and workers, never committed."""

from __future__ import annotations

from pathlib import Path

FONTS = Path(__file__).parents[2] / ".pytest_cache" / "fonts"
