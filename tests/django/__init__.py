"""The classes for Django."""
