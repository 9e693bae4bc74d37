"""What the warm parent of all kernels imports, and how it makes its forks cheap.

A fork copies the parent's page tables, and so does its end. With the objects of torch and its friends in pages of
4 kB this takes longer than most probes; in pages of 2 MB it is a third.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import re
import sys
from collections.abc import Iterable, Iterator

NEEDED = ("zmq.eventloop.zmqstream", "IPython", "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger",
          "IPython.core.debugger", "IPython.core.oinspect", "IPython.core.completerlib",
          "IPython.extensions.storemagic", "tornado.platform.asyncio", "faulthandler",
          "stack_data", "executing", "pygments.lexers", "pygments.styles", "pygments.formatters.terminal256",
          "numpy.random", "torch", "dgm.checks.runtime", "autograder.kernel.app")  # fmt: skip
# a word in the text of a notebook, and what will be imported if it is there
WELCOME = {
    "optim": ("torch._dynamo", "sympy"),  # come with the first optimiser, and take a second
    "distributions": ("torch.distributions",),
    "DataLoader": ("torch.utils.data",),
    "jaxtyping": ("jaxtyping",),
    "matplotlib": ("matplotlib.pyplot", "matplotlib_inline.backend_inline"),
    "sklearn": ("sklearn.datasets",),
    "scipy": ("scipy.stats",),
    "dgm": ("dgm", "dgm.grader", "dgm.plot", "dgm.data", "matplotlib.pyplot", "matplotlib_inline.backend_inline",
            "jaxtyping"),
}  # fmt: skip
_INNER_IMPORT = re.compile(r"^[ \t]+(?:from|import)\s.*$", re.MULTILINE)
ABSENT = ("rfc3987_syntax", "debugpy")
MADV_COLLAPSE = 25  # Linux 6.1
HUGE = 1 << 21
STEP = 4 * HUGE  # at a time, so that a request for a kernel does not wait


def modules_for(text: str | None) -> tuple[str, ...]:
    """What to import for a problem set whose cells have this text; everything where that is not known.

    An import inside a function is for rare cases: a notebook that comes to it pays for it.
    """
    words = set(WELCOME) if text is None else set(re.findall(r"\w+", _INNER_IMPORT.sub("", text)))
    return tuple(dict.fromkeys(name for word, names in WELCOME.items() if word in words for name in names))


def preload(modules: Iterable[str]) -> None:
    """Import what kernels need, and these. Nothing here may start a thread or touch a GPU."""
    # nobody here needs these: 2.7 seconds of jsonschema, and a debugger
    sys.modules |= dict.fromkeys(ABSENT)  # type: ignore[arg-type]
    gc.disable()  # there is next to no garbage, and looking for it takes a tenth of the time
    for name in (*NEEDED, *modules):
        try:
            importlib.import_module(name)
        except Exception:
            if name.partition(".")[0] in ("zmq", "IPython", "ipykernel", "autograder"):
                raise
            continue  # optional, or broken: the notebook that imports it will say so
    gc.freeze()  # so that the collector of a kernel does not copy our pages
    gc.enable()
    for name in ABSENT:
        del sys.modules[name]


def huge_pages() -> Iterator[None]:
    """Move this process's memory into huge pages, a piece at a step; ends at once where Linux cannot do that."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    with open("/proc/self/maps") as maps:
        ranges = [line.split() for line in maps]
    for span, permissions, _, _, inode, *name in ranges:
        if not permissions.startswith("rw") or inode != "0" or name not in ([], ["[heap]"]):
            continue
        start, stop = (int(number, 16) for number in span.split("-"))
        for piece in range(-(-start // HUGE) * HUGE, stop - HUGE + 1, STEP):
            size = min(STEP, (stop - piece) // HUGE * HUGE)
            libc.madvise(piece, size, MADV_COLLAPSE)  # an error leaves the pages as they are
            yield
