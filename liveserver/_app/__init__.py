"""From what the user gives to one ASGI 3 app."""
