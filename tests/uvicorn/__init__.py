"""uvicorn as it is used here."""
