"""The release as a PDF: one render input in, the bytes of a tagged file out (PDF/UA-1 and PDF/A-2a).

``writer`` renders the article's HTML and CSS, ``layout`` fits it to the pages, ``engine`` wraps WeasyPrint,
``text_layer`` makes every script readable by machines, and ``archive`` completes what PDF/A and PDF/UA demand.
"""

from __future__ import annotations

from pipeline.writers.pdf.writer import write

__all__ = ["write"]
