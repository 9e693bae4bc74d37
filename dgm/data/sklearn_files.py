"""Files that ship inside scikit-learn, read without importing it (the import costs about a second)."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def sklearn_file(relative: str) -> Path:
    """Path of ``sklearn/<relative>``, e.g. ``datasets/data/digits.csv.gz``.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
        FileNotFoundError: It has no such file.
    """
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("this data set ships with scikit-learn: pip install scikit-learn", name="sklearn")
    path = Path(next(iter(spec.submodule_search_locations))) / relative
    if not path.exists():
        raise FileNotFoundError(f"the installed scikit-learn has no {relative}")
    return path
