"""Text for reports: tracebacks, lines of code, requests that still run."""
