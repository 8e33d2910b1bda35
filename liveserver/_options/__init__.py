"""What the user asks for: the options of a server, the environment, and the checks of both."""
