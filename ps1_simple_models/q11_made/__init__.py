"""Question 11: MADE: one network, all conditionals."""
