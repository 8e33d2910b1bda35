"""The integration with unittest."""
