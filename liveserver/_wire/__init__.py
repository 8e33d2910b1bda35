"""What `liveserver.testclient` is made of: the only rooms that know Starlette's client."""
