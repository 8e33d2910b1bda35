"""A module that leaves the process when it is imported."""

import sys

sys.exit(7)
