import os
import sys

# `python -m` looks for modules in the folder it is started in, and that may be a folder of submissions.
_CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if __name__ == "__main__" and sys.path and sys.path[0] in ("", os.getcwd()) and os.getcwd() != _CHECKOUT:
    del sys.path[0]

from autograder.cli.main import main  # noqa: E402

if __name__ == "__main__":  # imported by the console script, and again by each worker process
    raise SystemExit(main())
