"""Question 3: schedules, noising at any step, the posterior of one step, and what a network may predict."""
