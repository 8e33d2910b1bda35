"""The test cases, and what runs them."""
