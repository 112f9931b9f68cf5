"""The release as a Word document: one render input in, the bytes of a .docx file out.

``writer`` puts the document together, ``header_footer`` writes what stands around the text, ``blocks`` and ``runs``
write the text, ``styles`` adapts the styles of ``templates/reference.docx``, and ``xml`` has the elements.
"""

from __future__ import annotations

from pipeline.writers.docx.writer import write

__all__ = ["write"]
