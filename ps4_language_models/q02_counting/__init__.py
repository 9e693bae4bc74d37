"""Question 2: n-grams by counting, interpolation, Kneser-Ney, bits per byte, and the copy language."""
