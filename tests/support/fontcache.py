"""The folder where all runs and workers of the tests cache web fonts, which take seconds to make; never committed."""

from __future__ import annotations

from pathlib import Path

FONTS = Path(__file__).parents[2] / ".pytest_cache" / "fonts"
