"""Question 5: attention; causal, grouped and sliding."""
