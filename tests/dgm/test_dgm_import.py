"""``import dgm`` must stay cheap: checked by what it loads, which does not depend on how busy the machine is."""

import json
import os
import subprocess
import sys

HEAVY = ("sklearn", "scipy", "pandas", "IPython", "ipykernel", "jupyter_client", "jupyter_core", "nbformat",
         "matplotlib.pyplot", "PIL", "pydoc_data")  # fmt: skip


def modules_after(code: str) -> set[str]:
    script = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    env = {k: v for k, v in os.environ.items() if not k.startswith("DGM_")}
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
    return set(json.loads(out.stdout.splitlines()[-1]))


def test_import_dgm_loads_nothing_heavy():
    loaded = modules_after("import dgm")
    assert not loaded.intersection(HEAVY)
    assert not loaded.intersection({"torch", "numpy", "matplotlib"})  # not even those, until they are used


def test_data_and_plots_need_neither_scikit_learn_nor_pyplot_until_something_is_drawn():
    loaded = modules_after(
        "import dgm; from dgm.budget import PROFILES; from dgm.progress import Progress\n"
        "dgm.data.digits(); dgm.data.glyphs(4); dgm.data.photo(size=8); dgm.data.english(); dgm.plot.images\n"
        "assert callable(dgm.budget) and callable(dgm.progress)  # not the modules of the same name\n"
        "assert 'data' in dir(dgm)\n"
        "try: dgm.dota\nexcept AttributeError as e: assert 'dota' in str(e)\nelse: raise SystemExit('no error')"
    )
    assert not loaded.intersection({"sklearn", "IPython", "matplotlib.pyplot"})
