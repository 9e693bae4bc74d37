"""Problem set 2, latent variables and flows; a package, so that its tests can import it."""
