"""From a problem set's cells and probes to notebooks: building, freezing public checks, executing, releasing."""
