"""Where this code runs: under a grader, in a notebook, or neither. Nothing is imported to find out."""

from __future__ import annotations

import os
import sys
from typing import Any


def grading() -> bool:
    """Whether a grader runs the notebook, which says so with ``DGM_GRADING=1``."""
    return os.environ.get("DGM_GRADING") == "1"


def ipython() -> Any:
    """The IPython shell this runs in, or None: where IPython has not been loaded there is none."""
    loaded = sys.modules.get("IPython")
    return loaded.get_ipython() if loaded is not None and hasattr(loaded, "get_ipython") else None
