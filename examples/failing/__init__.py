"""Tests that fail on purpose, each by another kind of mistake of the app: read their reports.
`python -m unittest examples.failing.failures` shows them; discovery leaves them out."""
