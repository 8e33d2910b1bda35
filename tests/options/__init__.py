"""The options of a server: which values are refused, and the switches of the environment."""
