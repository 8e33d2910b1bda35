"""A guest book: a Flask app and its tests."""
