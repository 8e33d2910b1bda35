"""One small API, written once with each framework; see `tests.app.test_frameworks`."""

import hashlib
import random

MIB = 1 << 20

# Ten MiB that are the same in each process, and in which no two pieces are alike.
DOWNLOAD = random.Random(10).randbytes(10 * MIB)
DOWNLOAD_SHA256 = hashlib.sha256(DOWNLOAD).hexdigest()

# What is streamed, piece by piece.
PIECES = [f"piece {number}\n" for number in range(5)]


def receipt(body: bytes) -> dict[str, int | str]:
    """Say what was uploaded."""
    return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
