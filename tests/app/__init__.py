"""The apps that a server is given, of every shape and framework."""
