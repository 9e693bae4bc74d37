"""Question 5: A mixture that denoises a photograph."""
