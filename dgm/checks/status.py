"""What can come of a probe. Apart, because these words are also needed where torch is not."""

PASSED, FAILED, ERROR, TIMEOUT, MISSING = "passed", "failed", "error", "timeout", "missing"
