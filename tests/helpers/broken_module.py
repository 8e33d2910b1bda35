"""A module that cannot be imported, because of its own fault."""

raise ZeroDivisionError("broken on purpose")
