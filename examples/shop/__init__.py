"""A small shop: a FastAPI app, and its tests in four styles."""
