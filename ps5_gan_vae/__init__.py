"""Problem set 5, GANs, tokens and judges; a package, so that its tests can import it."""
