"""An app with one table, notes."""
