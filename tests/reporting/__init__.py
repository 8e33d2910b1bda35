"""What reports say of an exception, a task or a thread, and where each stands."""
