"""The proof that hidden tests are good: the kill matrix."""
