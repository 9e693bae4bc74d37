"""Makes importing Jupyter's packages quick."""

from __future__ import annotations

import sys


def quick_jupyter() -> None:
    """Call before importing nbformat, nbclient, nbgrader or jupytext: saves nearly three seconds.

    jsonschema's optional import of ``rfc3987_syntax`` compiles a large grammar that nothing here uses; marking the
    module as absent is accepted.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
