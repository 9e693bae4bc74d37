"""What the notebooks import: data, plots, budgets, seeds, progress, and the grader's local checks.

``import dgm`` is cheap (it loads neither torch nor matplotlib); submodules are loaded when first used::

    import dgm
    images, labels = dgm.data.digits("train", binary="threshold")
    steps = dgm.budget(smoke=20, cpu=500, gpu=5000)
    dgm.plot.images(images[:32])

``dgm.budget`` and ``dgm.progress`` are functions here; the modules of the same name are reached with
``from dgm.budget import ...`` and ``from dgm.progress import ...``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dgm.budget import budget, device, profile
from dgm.progress import progress
from dgm.seeding import generator, seed_everything

if TYPE_CHECKING:
    from dgm import data, plot
    from dgm.grader import Grader

__all__ = ["Grader", "budget", "data", "device", "generator", "plot", "profile", "progress", "seed_everything"]

_SUBMODULES = ("checks", "data", "grader", "plot")


def __getattr__(name: str) -> Any:
    if name == "Grader":
        return importlib.import_module("dgm.grader").Grader
    if name in _SUBMODULES:
        return importlib.import_module(f"dgm.{name}")
    raise AttributeError(f"module 'dgm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, "Grader"})
