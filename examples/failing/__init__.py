"""Tests that fail on purpose; discovery leaves them out."""
