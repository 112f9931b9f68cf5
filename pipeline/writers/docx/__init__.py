"""The docx writer."""

from __future__ import annotations

from pipeline.writers.docx.writer import write

__all__ = ["write"]
