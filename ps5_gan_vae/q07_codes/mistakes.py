"""What students get wrong in question 7."""
from autograder.probes import Mistakes

mistakes = Mistakes()
