"""Measurements, run by hand: `python -m tests.benchmarks` for all of them, or one by its module."""
