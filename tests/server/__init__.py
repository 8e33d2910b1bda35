"""A server by hand: its starts and stops, its address, the process it lives in."""
