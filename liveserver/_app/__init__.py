"""Turn what the user gives into one ASGI 3 app."""
