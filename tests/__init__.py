"""The tests of liveserver: scenarios with inner test classes, see `tests/helpers/support.py`."""
