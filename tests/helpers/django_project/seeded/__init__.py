"""An app whose migration writes a row into its table."""
