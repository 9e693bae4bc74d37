"""Question 3: two small networks, a round of the game, a training loop, and modes that are counted."""
