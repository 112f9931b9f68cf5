"""The pdf writer."""

from __future__ import annotations

from pipeline.writers.pdf.writer import write

__all__ = ["write"]
