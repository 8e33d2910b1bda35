"""The fixed bounds of waits, in seconds. `_server/lifecycle.py` explains where each one is used.

Read them as attributes of this module, so that a test can change one for all of its users.
"""

__all__ = [
    "AT_EXIT",
    "GRACE",
    "LOOP_BLOCK",
    "OUTCOME",
    "RESPONSE_END",
    "SIGNAL_CHECK",
    "STREAM_END",
]

# For what takes less than a millisecond unless something is wrong.
GRACE = 0.5
# Event streams and WebSockets end by themselves after their disconnect.
STREAM_END = 0.1
# Requests, and the app's shutdown, when the process ends and nothing has stopped the server.
AT_EXIT = 0.3
# A loop of the caller's may be blocked so long, to save a thread.
LOOP_BLOCK = 0.005
# From a complete response to the end of its request, background tasks left out.
RESPONSE_END = 0.5
# A thread that has decided the outcome of a start publishes it.
OUTCOME = 1.0
# Between two checks for signals in a blocking read.
SIGNAL_CHECK = 0.5
