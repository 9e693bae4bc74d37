"""From a submission to a result: its kernel, its probes, and what a referee makes of them."""
