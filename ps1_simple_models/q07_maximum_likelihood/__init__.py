"""Question 7: what maximum likelihood minimises, and closed forms the machine can check."""
