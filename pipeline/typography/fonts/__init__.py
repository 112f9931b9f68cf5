"""The faces: static files from installed packages, for the PDF as they are, for the page as small WOFF2 subsets.

faces       the table: which face plays which part, and which script needs which package
files       where the file of a face lies
repertoire  what can be set, and how wide it is
supply      getting the packages of a script
sheet, web  what style sheets say of the faces; their small copies for the page

fontTools is imported where it is needed only: a page needs no more than names.
"""

from __future__ import annotations

from pipeline.typography.fonts.faces import FACES, SCHEME, SCRIPTS, SUBSETS, Face, Script, by_name
from pipeline.typography.fonts.files import face_files, path
from pipeline.typography.fonts.repertoire import Coverage, character_name, coverage, text_width
from pipeline.typography.fonts.sheet import Families, face_rules, families, web_rules
from pipeline.typography.fonts.web import page_faces, web_fonts

__all__ = [
    "FACES",
    "SCHEME",
    "SCRIPTS",
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
