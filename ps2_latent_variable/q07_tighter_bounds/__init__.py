"""Question 7: tighter bounds from many draws."""
