"""What `liveserver.django` is made of: the only rooms that know Django."""
