"""None: nothing here is graded by machine."""

from autograder.probes import Mistakes

mistakes = Mistakes()
