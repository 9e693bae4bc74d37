"""Question 14: models that are fitted without a loop: ridge regression as MAP, naive Bayes, and how many numbers a table has."""
