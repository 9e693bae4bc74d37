"""Problem set 1, simple generative models; a package, so that its tests can import it."""
