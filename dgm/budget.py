"""How long to train, and where: three profiles, so that one notebook fits a test, a laptop and Colab.

=======  ==========================================  =====================
profile  for                                         a training cell takes
=======  ==========================================  =====================
smoke    grading and tests                           seconds
cpu      a laptop                                    minutes
gpu      Colab T4                                    minutes
=======  ==========================================  =====================
"""

from __future__ import annotations

import os
from typing import TypeVar

PROFILES = ("smoke", "cpu", "gpu")

T = TypeVar("T")


def profile() -> str:
    """The profile in force: ``$DGM_BUDGET`` if set, else ``gpu`` where CUDA is available, else ``cpu``.

    Raises:
        ValueError: ``$DGM_BUDGET`` is not one of smoke, cpu, gpu.
    """
    asked = os.environ.get("DGM_BUDGET", "").strip().lower()
    if asked:
        if asked not in PROFILES:
            raise ValueError(f"DGM_BUDGET={os.environ['DGM_BUDGET']!r}: expected one of {', '.join(PROFILES)}")
        return asked
    return "gpu" if _cuda_available() else "cpu"


def budget(*, smoke: T, cpu: T, gpu: T) -> T:
    """The value for the profile in force, e.g. ``steps = dgm.budget(smoke=20, cpu=500, gpu=5000)``."""
    return {"smoke": smoke, "cpu": cpu, "gpu": gpu}[profile()]


def device() -> str:
    """Where to train: ``$DGM_DEVICE``; if unset, ``"cuda"`` in the gpu profile where CUDA is available, else ``"cpu"``.

    Raises:
        ValueError: ``$DGM_DEVICE`` is no torch device.
        RuntimeError: It names an accelerator that this machine lacks.
    """
    asked = os.environ.get("DGM_DEVICE", "").strip().lower()
    if not asked:
        return "cuda" if profile() == "gpu" and _cuda_available() else "cpu"
    import torch

    try:
        kind = torch.device(asked).type
    except RuntimeError:
        raise ValueError(f"DGM_DEVICE={asked!r} is not a torch device; use cpu, cuda, cuda:1 or mps") from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(f"DGM_DEVICE={asked!r}, but torch finds no CUDA device here; unset it or use cpu")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise RuntimeError(f"DGM_DEVICE={asked!r}, but torch finds no Apple GPU here; unset it or use cpu")
    return asked


def _cuda_available() -> bool:
    import torch

    return torch.cuda.is_available()
