"""Measurements, run by hand: `python -m tests.benchmarks.lifecycle` and `….growth`."""
