"""Question 7: flow matching."""
