"""Attack notebooks, graded the way a class is."""
