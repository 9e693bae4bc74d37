"""Problem set 4, language models; a package, so that its tests can import it."""
