"""All that knows uvicorn."""
