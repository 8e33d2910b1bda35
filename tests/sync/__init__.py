"""What threads and loops wait with."""
