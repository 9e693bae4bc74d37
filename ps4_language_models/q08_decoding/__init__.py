"""Question 8: what a decoder samples from, searches, scores and marks."""
