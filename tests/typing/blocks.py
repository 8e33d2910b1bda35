"""Write the documentation's Python blocks as files, for type checkers.
Run it: python -m tests.typing.blocks folder"""

import re
import sys
from pathlib import Path

from tests.helpers.markdown import PAGES, blocks, name_of
from tests.helpers.runs import runnable


def main() -> None:
    """Write each block under a name of its own, those that are not run too.

    Those of a Django project are left out, as Django says nothing about its types.
    """
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.py"):
        old.unlink()
    for page in PAGES:
        prefix = re.sub(r"\W", "_", name_of(page).removesuffix(".md").lower())
        modules: dict[str, str] = {}  # of the blocks that are files: what each is called here
        for block in blocks(page.read_text("utf-8"), "python"):
            name = f"{prefix}_{block.line}"
            modules[block.file.removesuffix(".py").replace("/", ".")] = name
            if "liveserver.django" in block.code:
                continue
            code = runnable(block).code
            for module, here in modules.items():
                if module:
                    code = re.sub(
                        rf"\bfrom {re.escape(module)} import", f"from {here} import", code
                    )
            Path(folder, f"{name}.py").write_text(code, "utf-8")


if __name__ == "__main__":
    main()
