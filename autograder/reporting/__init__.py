"""Shows results: tables in the terminal, HTML pages. Reads results only; knows nothing of kernels or tests."""
