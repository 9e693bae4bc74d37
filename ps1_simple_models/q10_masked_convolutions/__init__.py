"""Question 10: masked convolutions and what they can see."""
