"""Question 12: masked convolutions and what they can see."""
