"""Question 8: dropped labels, guidance with and without a classifier, and what guidance samples."""
