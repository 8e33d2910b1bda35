"""The fixed bounds of waits, in seconds. `_server/lifecycle.py` explains where each one is used.

Read them as attributes of this module, so that a test can change one for all of its users.
"""

__all__ = [
    "AT_EXIT",
    "CLIENT_LEFT",
    "GRACE",
    "LOOP_BLOCK",
    "OUTCOME",
    "RESPONSE_END",
    "SIGNAL_CHECK",
    "STREAM_END",
    "THREAD_START",
]

# A step that takes less than a millisecond, unless something is wrong.
GRACE = 0.5
# Event streams and WebSockets end after they are disconnected.
STREAM_END = 0.1
# Requests and the app's shutdown, when the process ends while the server runs.
AT_EXIT = 0.3
# The end of a request whose client has left is awaited for this long, twice at most.
CLIENT_LEFT = 0.5
# A short wait blocks the caller's loop, to save a thread.
LOOP_BLOCK = 0.005
# From a complete response to the end of its request, without background tasks.
RESPONSE_END = 0.5
# A thread that has set the outcome of a start publishes it.
OUTCOME = 1.0
# Signals are checked this often in a blocking read.
SIGNAL_CHECK = 0.5
# A busy system begins a thread.
THREAD_START = 5.0
