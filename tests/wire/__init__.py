"""Starlette's test client on the wire."""
