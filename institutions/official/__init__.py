"""Official papers: what a paper says (`paper`), how plain text becomes its levels (`text`), the .docx (`word`).

The layout is GB/T 9704-2012 (党政机关公文格式); docs/papers.md lists the measures and where the standard leaves a choice.
"""

from institutions.official.paper import Annex, Block, Level, Paper
from institutions.official.text import balanced, blocks, one_line
from institutions.official.word import CONTENT_TYPE, write

__all__ = [
    "CONTENT_TYPE",
    "Annex",
    "Block",
    "Level",
    "Paper",
    "balanced",
    "blocks",
    "one_line",
    "write",
]
