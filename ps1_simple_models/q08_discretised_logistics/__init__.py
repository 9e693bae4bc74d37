"""Question 8: histograms and discretised logistics."""
