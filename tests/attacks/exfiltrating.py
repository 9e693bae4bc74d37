"""The reference's source enters the kernel for follow-through credit. Nothing may come of that."""

from .attack import RIGHT, SETUP, WRONG, Attack

# Finds the reference's source in the requests, from the kernel and from the probe's process.
STEAL = """
import inspect, linecache, os, sys
def stolen():
    frame = sys._getframe()
    while frame:
        request = frame.f_locals.get("request")
        if isinstance(request, dict) and request.get("prelude"):
            return request["prelude"]
        frame = frame.f_back
    return ""
"""


def thief(name: str, tries: str, body: str, **more) -> Attack:
    """Wrong in q1, so that q2 is asked again with the reference's q1."""
    return Attack(name, tries, (SETUP, WRONG, STEAL, body), **more)


SAME_BATCH = ("namespaces",)
LIST = [
    thief("by-exception", "in an exception's text and type", """
def log_mean_exp(x, dim):
    text = stolen()
    raise type(text[:90] or "Empty", (Exception,), {})(text)
"""),
    thief("by-evidence", "in strings, keys and arrays", """
import numpy as np
def log_mean_exp(x, dim):
    text = stolen()
    return {"text": text, text: 1, "bytes": np.frombuffer(text.encode(), np.uint8)}
"""),
    thief("by-dtype", "in the names of a structured dtype", """
import numpy as np
def log_mean_exp(x, dim):
    return np.zeros(1, [(stolen()[:200] or "a", "f4")])
"""),
    thief("by-mutated", "in the list of changed arguments, and as a missing name", """
def log_mean_exp(x, dim):
    frame = sys._getframe()
    while frame:
        if "mutated" in frame.f_locals:
            frame.f_locals["mutated"].append(stolen()[-400:] or "log_mean_exp")
        frame = frame.f_back
    from dgm.checks.runtime import MissingAnswer
    if stolen():
        raise MissingAnswer(stolen())
    return x
"""),
    thief("by-source", "inspect.getsource and constants of the reference itself", """
def log_mean_exp(x, dim):
    code = logsumexp.__code__
    try:
        source = inspect.getsource(logsumexp)
    except (OSError, TypeError):
        source = ""
    raise RuntimeError(f"{code.co_consts} {source}")
"""),
    thief("by-output", "printed, displayed and logged", """
import logging
def log_mean_exp(x, dim):
    text = stolen()
    print(text); print(text, file=sys.stderr); logging.error(text)
    os.system(f"echo '{text[:100]}'")
    from IPython.display import display
    try:
        display(text)
    except Exception:
        pass
    return x
"""),
    thief("by-kernel-output", "printed by the kernel itself, as if a cell had done it", """
kernel = get_ipython().kernel
_handle = kernel.shell_handlers["probe_request"]
async def handle(stream, ident, parent):
    text = parent["content"]["request"].get("prelude", "")
    print(text)
    kernel.session.send(kernel.iopub_socket, "stream", {"name": "stderr", "text": text}, parent)
    kernel.session.send(kernel.iopub_socket, "error", {"ename": text, "evalue": text, "traceback": [text]}, parent)
    if text:
        reply = {"status": text[:100], "message": text, "seconds": 0}
        kernel.session.send(stream, "probe_reply", reply, parent, ident=ident, buffers=[text.encode()])
    await _handle(stream, ident, parent)
kernel.shell_handlers["probe_request"] = handle
"""),
    Attack(
        "by-death", "in notes, after the kernel has been started again", (SETUP, WRONG, STEAL, """
import glob
for path in glob.glob(os.environ["HOME"] + "/stolen*") + glob.glob("/tmp/stolen*") + glob.glob("/dev/shm/stolen*"):
    with open(path) as file:
        raise RuntimeError(file.read()[-200:])
kernel = get_ipython().kernel
_handle = kernel.shell_handlers["probe_request"]
async def handle(stream, ident, parent):
    text = parent["content"]["request"].get("prelude", "")
    if text:
        for folder in (os.environ["HOME"], "/tmp", "/dev/shm"):
            try:
                with open(folder + "/stolen-by-death", "w") as file:
                    file.write(text)
            except OSError:
                pass
        os._exit(42)
    await _handle(stream, ident, parent)
kernel.shell_handlers["probe_request"] = handle
"""), levels=("namespaces", "landlock")),
    Attack("use-for-itself", "answers q1 with the reference that came for q2", (SETUP, WRONG, STEAL, """
kernel = get_ipython().kernel
space = get_ipython().user_ns
_handle = kernel.shell_handlers["probe_request"]
async def handle(stream, ident, parent):
    prelude = parent["content"]["request"].get("prelude", "")
    if prelude:
        exec(prelude, space)
        for name in ("logsumexp", "log_mean_exp"):
            space["kept_" + name] = space.get(name)
    await _handle(stream, ident, parent)
kernel.shell_handlers["probe_request"] = handle
def normalised(x, dim):
    answer = globals().get("kept_log_mean_exp", log_mean_exp)
    return x + 1 if answer is None else x + 1
""")),
    Attack("use-for-later", "answers later questions with what came for earlier ones", (SETUP, """
def logsumexp(x, dim):
    return x.sum(dim)
def log_mean_exp(x, dim):
    return __import__("torch").zeros(())
""", STEAL, """
kept = {}
_prelude = None
kernel = get_ipython().kernel
_handle = kernel.shell_handlers["probe_request"]
async def handle(stream, ident, parent):
    request = parent["content"]["request"]
    if request.get("prelude"):
        exec(request["prelude"], kept)
    elif kept:
        get_ipython().user_ns.update({name: value for name, value in kept.items() if callable(value)})
    await _handle(stream, ident, parent)
kernel.shell_handlers["probe_request"] = handle
""")),
    Attack("hand-over", "leaves the reference for the submission that comes next", lambda target: (SETUP, WRONG, STEAL, f"""
DROP = {target.drop!r}
import ctypes
def log_mean_exp(x, dim):
    text = stolen()
    if text:
        for path in (DROP + "/reference", "/tmp/reference", "/dev/shm/reference", "/var/tmp/reference"):
            try:
                with open(path, "w") as file:
                    file.write(text)
            except OSError:
                pass
        libc = ctypes.CDLL(None)
        libc.shmat.restype = ctypes.c_void_p
        segment = libc.shmget(0x5EC2E7, 8192, 0o1666)
        place = libc.shmat(segment, None, 0) if segment >= 0 else None
        if place not in (None, 2**64 - 1):
            ctypes.memmove(place, text.encode()[:8000], min(len(text), 8000))
    return x
"""), levels=SAME_BATCH),
    Attack("take-over", "takes the reference that an earlier submission left", lambda target: (SETUP, WRONG, f"""
DROP = {target.drop!r}
import ctypes, os, time
texts = []
for _ in range(20):
    for path in (DROP + "/reference", "/tmp/reference", "/dev/shm/reference", "/var/tmp/reference"):
        try:
            texts.append(open(path).read())
        except OSError:
            pass
    libc = ctypes.CDLL(None)
    libc.shmat.restype = ctypes.c_void_p
    segment = libc.shmget(0x5EC2E7, 8192, 0o666)
    if segment >= 0:
        texts.append(ctypes.string_at(libc.shmat(segment, None, 0), 8000).rstrip(b"\\0").decode())
    time.sleep(0.1)
for text in texts:
    exec(text)
def normalised(x, dim):
    raise RuntimeError(f"took {{len(texts)}} {{' '.join(texts)[-300:]}}")
"""), levels=SAME_BATCH, says="took 0"),
    Attack("fair", "follow-through credit itself: q1 is wrong and the rest is right",
           (SETUP, WRONG, RIGHT["log_mean_exp"], RIGHT["normalised"]), deserves={"q2": 2, "q3": 1}),
]
