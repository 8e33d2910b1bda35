"""Draw the picture of the README, the report of a failing test: python -m tests.picture

The report is that of a real run of the README's own files. Its text is checked by a test; the
colours, for which it takes the package rich, are not.
"""

import itertools
import re
import tempfile
from html import unescape
from pathlib import Path

from tests.helpers.markdown import ROOT, blocks
from tests.helpers.runs import files_above, normal, run_in, write

PICTURE = ROOT / "docs" / "report.svg"
TITLE = "python -m pytest test_coffee.py"

# The picture shows the lines from one of these up to the other, so neither pytest's greeting nor
# the log.
_PARTS = ((" FAILURES ", ": AssertionError"), (" short test summary ", " failed in "))

# Of a character, in rich's pictures.
WIDTH, HEIGHT = 12.2, 24.4

# Of a terminal, without a font from elsewhere.
_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" role="img" xmlns="http://www.w3.org/2000/svg">
<title>TITLE</title>
<style>
.{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""  # noqa: E501


def report(*options: str) -> str:
    """Run the README's pytest function; return what it prints, as far as the picture shows it."""
    files = files_above(blocks((ROOT / "README.md").read_text("utf-8")))
    with tempfile.TemporaryDirectory() as folder:
        write(folder, files)
        _, output = run_in(folder, *TITLE.split()[1:], *options)
    lines: list[str] = []
    rest = iter(output.splitlines())
    for first, last in _PARTS:
        lines += itertools.dropwhile(lambda line, sign=first: sign not in _plain(line), rest)
        end = next(index for index, line in enumerate(lines) if last in _plain(line))
        rest = iter(lines[end + 1 :])
        del lines[end + 1 :]
    return normal("\n".join(lines))


def _plain(line: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", line)


def text_of(svg: str) -> str:
    """The text of the picture, line by line; rich puts each piece where it belongs."""
    lines: dict[int, str] = {}
    matrix = svg.partition('-matrix">')[2]
    piece = r'<text [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>'
    for x, y, text in re.findall(piece, matrix):
        number = round(float(y) / HEIGHT)
        line = lines.get(number, "").ljust(round(float(x) / WIDTH))
        lines[number] = line + unescape(text).replace("\xa0", " ").rstrip("\n")
    return "\n".join(lines.get(number, "").rstrip() for number in range(1, max(lines) + 1))


def draw() -> None:
    """Write the picture."""
    from rich.console import Console
    from rich.text import Text

    output = report("--color=yes")
    columns = max(map(len, Text.from_ansi(output).plain.splitlines()))
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=columns, file=nowhere)
        console.print(Text.from_ansi(output), no_wrap=True, crop=False)
    console.save_svg(
        str(PICTURE), title=TITLE, code_format=_FORMAT.replace("TITLE", TITLE), unique_id="report"
    )


if __name__ == "__main__":
    draw()
