"""Run the command line: `python -m liveserver`."""

import sys

from liveserver._cli.main import main

if __name__ == "__main__":
    sys.exit(main())
