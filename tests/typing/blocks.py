"""Write the README's Python blocks as files, for type checkers.
Run it: python -m tests.typing.blocks folder"""

import sys
from pathlib import Path

from tests.helpers.readme import README, blocks, runnable


def main() -> None:
    """Write each block that is run, with the imports that it has from those above it."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.py"):
        old.unlink()
    found = blocks(README.read_text("utf-8"))
    for index, block in enumerate(found):
        if not block.not_run:
            path = folder / f"{README.stem.lower()}_{block.line}.py"
            path.write_text(runnable(block.code, found[:index]).code, "utf-8")


if __name__ == "__main__":
    main()
