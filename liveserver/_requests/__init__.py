"""Which requests a server gets, and what becomes of each."""
