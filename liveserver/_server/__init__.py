"""`LiveServer`, its thread and its process. `lifecycle.py` explains how a server runs."""
