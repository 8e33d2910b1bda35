"""`python -m liveserver`."""
