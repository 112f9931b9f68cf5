"""The fonts: static files from installed packages, as they are for PDF, as small WOFF2 files for pages.

faces       the table: which face has which role, and which script needs which package
files       where the file of a face is
characters  which characters the faces have, which scripts a text needs, how wide a text is
stylesheet  ``@font-face`` rules, lists of families and web fonts
packages    installing the packages of a script (import this module itself)
"""

from __future__ import annotations

from pipeline.typography.fonts.characters import Coverage, character_name, coverage, text_width
from pipeline.typography.fonts.faces import FACES, SCRIPTS, SIGNS, SUBSETS, Face, Script, by_name, page_faces
from pipeline.typography.fonts.files import face_files, path
from pipeline.typography.fonts.stylesheet import Families, face_rules, families, web_fonts, web_rules

__all__ = [
    "FACES",
    "SCRIPTS",
    "SIGNS",
    "SUBSETS",
    "Coverage",
    "Face",
    "Families",
    "Script",
    "by_name",
    "character_name",
    "coverage",
    "face_files",
    "face_rules",
    "families",
    "page_faces",
    "path",
    "text_width",
    "web_fonts",
    "web_rules",
]
