"""Results as data, and the folder of a run that keeps them."""
