"""Question 18: MADE: one network, all conditionals."""
