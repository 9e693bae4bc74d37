"""Problem set 3, diffusion and flow matching; a package, so that its tests can import it."""
