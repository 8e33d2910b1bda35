"""The shop that the README's examples are about; see `tests/helpers/readme.py`."""
