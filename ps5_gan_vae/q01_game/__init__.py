"""Question 1: the game, its optimum, its divergences."""
