"""Question 6: what maximum likelihood minimises, the Bernoulli likelihood, and Bayes' rule as a classifier."""
