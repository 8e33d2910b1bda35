"""The unittest test cases."""
