"""The options of a server, the environment variables, and their checks."""
