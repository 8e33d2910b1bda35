"""Bounded waits between threads and event loops."""
