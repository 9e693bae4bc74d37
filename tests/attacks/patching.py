"""Replacing what a test might rely on: comparisons, encoders, the harness, Python's own modules."""

from .attack import SETUP, WRONG, Attack


def patch(name: str, tries: str, *cells: str, **more) -> Attack:
    return Attack(name, tries, (SETUP, WRONG, *cells), **more)


OUTCOME = """
import json
def forged(*args, **kwargs):
    return json.dumps({"status": "ok", "evidence": True, "error": None, "mutated": [], "seconds": 0,
                       "passed": True, "score": 3, "points": 3}).encode()
"""
LIST = [
    patch("comparisons", "every comparison of torch and numpy says yes", """
import numpy as np
yes = lambda *args, **kwargs: True
for place, names in ((torch, ["allclose", "equal", "isclose"]), (torch.testing, ["assert_close"]),
                     (np, ["allclose", "array_equal", "isclose"]),
                     (np.testing, ["assert_allclose", "assert_array_equal", "assert_almost_equal"])):
    for name in names:
        setattr(place, name, yes)
torch.Tensor.__eq__ = torch.Tensor.allclose = torch.Tensor.equal = yes
import dgm.checks.compare, dgm.checks.judges
dgm.checks.compare.first_difference = dgm.checks.judges.first_difference = lambda *a, **k: None
dgm.checks.compare.close = yes
dgm.checks.judges.Close.__call__ = lambda self, *a: dgm.checks.judges.Verdict(True)
"""),
    patch("builtins", "builtins that a test may use", """
import builtins
for name in ("abs", "all", "any", "max", "min", "round", "sum"):
    setattr(builtins, name, lambda *args, **kwargs: True)
""", broken=True),
    patch("compile-hook", "rewrites the probe when it is compiled", """
import builtins
_compile = builtins.compile
def hooked(source, filename, *args, **kwargs):
    if str(filename).startswith("<probe"):
        name = filename[7:-1]
        source = f"def {name}(student, rng):\\n    return {{'passed': True, 'score': 100}}"
    return _compile(source, filename, *args, **kwargs)
builtins.compile = hooked
"""),
    patch("json-dumps", "json.dumps returns a better outcome", OUTCOME + """
_dumps = json.dumps
json.dumps = lambda value, *a, **k: _dumps({"status": "passed", "points": 3, "score": 3, "evidence": None})
""", broken=True),
    patch("base64", "base64 says something else", "import base64\nbase64.b64encode = lambda data: b'AAAA'\n"),
    patch("run-probe-json", "the runtime's entry point is replaced", OUTCOME + """
import dgm.checks.runtime as runtime
runtime.run_probe_json = forged
"""),
    patch("run-probe", "the runtime returns an outcome of its own", """
import dgm.checks.runtime as runtime
runtime.run_probe = lambda *a, **k: {"status": "passed", "evidence": "passed", "error": None, "mutated": [],
                                     "seconds": 0.0, "earned": 3}
"""),
    patch("easy-inputs", "the generator draws zeros, for which the wrong answer is right", """
from dgm.checks.rng import Rng
Rng.normal = lambda self, *shape, **k: torch.zeros(*shape)
Rng.integer = lambda self, low, high: 1
def logsumexp(x, dim):
    return torch.logsumexp(torch.zeros_like(x), dim)
def log_mean_exp(x, dim):
    return torch.zeros(x.shape[0])
"""),
    patch("encode", "the encoder forgets everything", """
import dgm.checks.evidence as evidence
evidence.encode = lambda value: b'{"status": "ok", "evidence": null, "error": null, "mutated": [], "seconds": 0}'
evidence.normalise = lambda value, depth=0: None
"""),
    patch("fork-here", "os.fork returns 0, so that the kernel itself becomes the probe", "import os\nos.fork = lambda: 0"),
    patch("fork-fails", "os.fork raises", """
import os
def fork():
    raise OSError("no")
os.fork = fork
"""),
    patch("no-exit", "the child of a probe goes on as a second kernel", "import os\nos._exit = lambda code: None"),
    patch("write-more", "os.write adds a second outcome", """
import os, struct
_write = os.write
def write(fd, data):
    payload = b'{"status": "ok", "evidence": true, "error": null, "mutated": [], "seconds": 0}'
    _write(fd, struct.pack("<Q", len(payload)) + payload)
    return len(data)
os.write = write
"""),
    patch("pipe", "os.pipe hands out a file with an answer in it", """
import os, struct
def pipe():
    payload = b'{"status": "ok", "evidence": [1.0], "error": null, "mutated": [], "seconds": 0}'
    with open("answer", "wb") as file:
        file.write(struct.pack("<Q", len(payload)) + payload)
    return os.open("answer", os.O_RDONLY), os.open("/dev/null", os.O_WRONLY)
os.pipe = pipe
"""),
    patch("clock", "time runs backwards", """
import time
time.monotonic = time.perf_counter = time.time = lambda: -1e9
"""),
    patch("signals", "every signal is ignored or answered", """
import signal
for number in range(1, 65):
    try:
        signal.signal(number, lambda *args: None)
    except (OSError, ValueError):
        pass
"""),
    patch("trace", "a trace function changes the outcome as run_probe returns", """
import sys, threading
def tracer(frame, event, arg):
    if frame.f_code.co_name == "run_probe" and event == "return" and isinstance(arg, dict):
        arg.update(status="ok", evidence={"passed": True}, error=None)
    return tracer
sys.settrace(tracer); sys.setprofile(tracer); threading.settrace(tracer)
def logsumexp(x, dim):
    sys.settrace(tracer)
    frame = sys._getframe()
    while frame:
        frame.f_trace = tracer
        if "outcome" in frame.f_locals:
            frame.f_locals["outcome"].update(status="ok", earned=3, points=3, passed=True)
        frame = frame.f_back
    return 0.0
"""),
    patch("gc-outcome", "finds the outcome among all objects and improves it", """
import gc
def logsumexp(x, dim):
    for item in gc.get_objects():
        if isinstance(item, dict) and {"status", "evidence", "mutated"} <= item.keys():
            item["passed"] = True
            item["evidence"] = True
    return True
"""),
    patch("import-hook", "an import hook hands out other modules", """
import sys, types
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        import importlib.machinery
        if name.startswith(("dgm", "autograder")):
            class Loader:
                create_module = staticmethod(lambda spec: None)
                exec_module = staticmethod(lambda module: module.__dict__.update(run_probe_json=lambda *a, **k: b"{}"))
            return importlib.machinery.ModuleSpec(name, Loader)
sys.meta_path.insert(0, Finder)
for name in [name for name in sys.modules if name.startswith("dgm")]:
    del sys.modules[name]
"""),
    patch("sys-modules", "poisoned dgm, numpy and torch", OUTCOME + """
import sys, types
fake = types.ModuleType("dgm.checks.runtime")
fake.run_probe_json = forged
for name in ("dgm", "dgm.checks"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["dgm.checks.runtime"] = fake
sys.modules["numpy"] = sys.modules["torch"] = types.ModuleType("nothing")
"""),
    patch("ipython-events", "events, transformers and hooks of IPython", """
shell = get_ipython()
def better(*args):
    shell.user_ns["score"] = 11
for name in ("pre_execute", "pre_run_cell", "post_execute", "post_run_cell"):
    shell.events.register(name, better)
shell.input_transformers_cleanup.append(lambda lines: ["score = 11\\n"])
shell.ast_transformers.append(type("T", (), {"visit": lambda self, node: node})())
shell.set_custom_exc((Exception,), lambda *args, **kwargs: None)
shell.run_cell = shell.run_cell_async = lambda *args, **kwargs: None
""", "1 / 0", broken=True),
    patch("display", "publishes results as rich output", """
from IPython.display import display
result = {"score": 11, "status": "passed", "questions": [{"id": "q1", "score": 3, "status": "passed"}]}
display({"application/json": result, "application/vnd.nbgrader": result, "text/plain": "11/11"}, raw=True)
get_ipython().display_pub.publish({"application/json": result}, {"grade": True})
import sys
print(result, file=sys.stderr)
result
"""),
    patch("session-send", "the kernel's session sends something better", """
kernel = get_ipython().kernel
_send = type(kernel.session).send
def send(self, stream, kind, content=None, *args, **kwargs):
    if kind == "probe_reply":
        content = {"status": "ok", "message": "", "seconds": 0, "score": 3, "passed": True}
        kwargs["buffers"] = [b'{"status": "ok", "evidence": true, "error": null, "mutated": [], "seconds": 0}']
    return _send(self, stream, kind, content, *args, **kwargs)
type(kernel.session).send = send
kernel.session.send = send.__get__(kernel.session)
kernel.shell_handlers["probe_request"].__closure__[0].cell_contents
for cell in kernel.shell_handlers["probe_request"].__closure__:
    if callable(cell.cell_contents) and getattr(cell.cell_contents, "__name__", "") == "send":
        cell.cell_contents = kernel.session.send
"""),
    patch("todo-for-all", "errors become stubs, warnings and exits", """
import builtins
builtins.NotImplementedError = builtins.BaseException
def logsumexp(x, dim):
    raise SystemExit(0)
def fit(x, y):
    raise GeneratorExit("passed")
def sample(n, generator):
    raise KeyboardInterrupt
"""),
    patch("free-inputs", "the student object calls something else", """
import dgm.checks.runtime as runtime
runtime.Student.__getattr__ = lambda self, name: lambda *args, **kwargs: True
runtime._lookup = lambda namespace, name: (lambda *args, **kwargs: True)
"""),
]
