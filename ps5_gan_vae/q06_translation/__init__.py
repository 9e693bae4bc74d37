"""Question 6: translation with pairs and without, between thin and bold letters."""
