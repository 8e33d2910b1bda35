"""The pages of the documentation, taken apart: blocks, tables, headings and links."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block."""

    language: str
    line: int  # of its first line in the page, from 1
    code: str
    not_run: str  # why not, or an empty string

    @property
    def file(self) -> str:
        """The name that it gives itself in its first line, `# prices.py`, or an empty string."""
        first = re.match(r"# ([\w./-]+\.\w+)$", self.code, re.MULTILINE)
        return first[1] if first else ""


def name_of(page: Path) -> str:
    """How a message names a page: `docs/tutorial.md`."""
    return page.relative_to(ROOT).as_posix()


def blocks(markdown: str, *languages: str) -> list[Block]:
    """The fenced blocks, of all languages or of some."""
    found = []
    for match in FENCE.finditer(markdown):
        above = markdown[: match.start()]
        mark = re.search(r"<!-- not run: (.+) -->\s*\Z", above)
        line = above.count("\n") + 2
        found.append(Block(match[1], line, match[2], mark[1] if mark else ""))
    return [each for each in found if not languages or each.language in languages]


def prose(markdown: str) -> str:
    """The text without its fenced blocks, of which the empty lines remain."""
    return FENCE.sub(lambda match: "\n" * match[0].count("\n"), markdown)


def tables(markdown: str) -> list[list[list[str]]]:
    """The tables, as rows of cells; the first row is the head."""
    found: list[list[list[str]]] = []
    previous = ""
    for line in prose(markdown).splitlines():
        if line.startswith("|"):
            if not previous.startswith("|"):
                found.append([])
            if not re.fullmatch(r"[|\-: ]+", line):
                cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
                found[-1].append([cell.strip() for cell in cells])
        previous = line
    return found


def table(markdown: str, head: str) -> dict[str, str]:
    """The table whose first column has this head: its first two columns."""
    (found,) = [each for each in tables(markdown) if each[0][0] == head]
    return {row[0].strip("`"): row[1] for row in found[1:]}


class Link(NamedTuple):
    """A link or an image."""

    line: int
    text: str
    target: str
    is_image: bool


def links(markdown: str) -> list[Link]:
    """The links and images of the prose."""
    found = []
    text = re.sub(r"`[^`\n]*`", lambda code: "x" * len(code[0]), prose(markdown))
    for match in re.finditer(r"(!?)\[([^\]]*)\]\(\s*([^)\s]*)[^)]*\)", text):
        line = text[: match.start()].count("\n") + 1
        found.append(Link(line, match[2], match[3], bool(match[1])))
    return found


def anchors(markdown: str) -> set[str]:
    """The anchors that a forge gives to the headings."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#{1,6} (.+)$", prose(markdown), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
        found[anchor] = found.get(anchor, -1) + 1
        if found[anchor]:
            found[f"{anchor}-{found[anchor]}"] = 0
    return set(found)


def broken_links(page: Path, markdown: str) -> list[str]:
    """The links of a page inside the repository that lead nowhere, and images without a text."""
    wrong = []
    for link in links(markdown):
        place = f"{name_of(page)}:{link.line}: {link.target!r}"
        if link.is_image and not link.text.strip():
            wrong.append(f"{place} has no text for those who do not see it")
        if re.match(r"https?://", link.target):
            continue
        path, _, anchor = link.target.partition("#")
        target = (page.parent / path).resolve() if path else page
        if (target != page and not target.exists()) or not target.is_relative_to(ROOT):
            wrong.append(f"{place} is not there")
        elif anchor:
            there = markdown if target == page else target.read_text("utf-8")
            if anchor not in anchors(there):
                wrong.append(f"{place}: no heading has this anchor")
    return wrong
