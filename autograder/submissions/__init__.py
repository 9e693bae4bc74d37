"""From paths to submissions: whose a notebook is, and which of the files is it."""
