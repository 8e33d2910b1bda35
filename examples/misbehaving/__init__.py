"""A service that misbehaves as a test asks it to, and clients that cope with it."""
