"""The pages of the documentation as data: blocks of code with their lines, links and anchors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "SECURITY.md", *sorted(str(file.relative_to(ROOT)) for file in (ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(
    r"^(?:<!-- state: (?P<state>[a-z ]+) -->\n)?(?P<indent> *)```(?P<kind>[^\n]*)\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_CODE = r"(`+)(?!`).+?(?<!`)\1(?!`)"
_LINK = re.compile(r"(?<!\\)!?\[[^\]]*\]\((?P<target>[^)\s]+)(?: \"[^\"]*\")?\)")


@dataclass(frozen=True)
class Block:
    """A block of code; ``state`` is that of the comment above it, or empty."""

    page: str
    line: int
    kind: str
    code: str
    state: str

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands of a shell block, without comments; a line that ends in a backslash goes on."""
        lines = (re.sub(r"\s+#(?!\S).*$|^#.*$", "", line) for line in self.code.replace("\\\n", " ").splitlines())
        return tuple(line.strip() for line in lines if line.strip())


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def blocks(page: str, kind: str = "sh") -> list[Block]:
    """Return the blocks of ``page`` that are of ``kind``, from top to bottom."""
    text = text_of(page)
    found = []
    for match in _BLOCK.finditer(text):
        if match["kind"].split(" ")[0] == kind:
            code = "".join(line.removeprefix(match["indent"]) for line in match["code"].splitlines(keepends=True))
            line = text.count("\n", 0, match.start("code")) + 1
            found.append(Block(page, line, kind, code, match["state"] or ""))
    return found


def links(page: str) -> Iterator[str]:
    """Yield the targets of links and pictures."""
    text = re.sub(r"\[`([^`\n]+)`\]\(", r"[\1](", _BLOCK.sub("", text_of(page)))
    for match in _LINK.finditer(re.sub(_CODE, "", text)):
        yield match["target"]


def anchors(page: str) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.+)$", _BLOCK.sub("", text_of(page)), re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found[name] = found.get(name, -1) + 1
    return {f"{name}-{number}" if number else name for name, count in found.items() for number in range(count + 1)}
