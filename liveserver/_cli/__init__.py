"""The command line: `python -m liveserver`."""
