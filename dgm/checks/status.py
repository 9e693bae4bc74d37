"""What can come of a probe. Apart, because these words are also needed where torch is not."""

STUB = r"Question (\w+): (\S+) is still to be written\."  # what a stub says: the question's number, the answer
PASSED, FAILED, ERROR, TIMEOUT, MISSING = "passed", "failed", "error", "timeout", "missing"
