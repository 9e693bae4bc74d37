"""From ``source.py`` and the hidden tests to notebooks: building, freezing public checks, executing, releasing."""
