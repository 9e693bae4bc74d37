"""Reading what only the grader may know."""

from .attack import LOOK, SETUP, WRONG, Attack, Target, looking

FILES = ("namespaces", "landlock")  # the level "process" leaves files to their permissions


def at(body: str):
    """Cells with the places filled in."""

    def cells(target: Target) -> tuple[str, ...]:
        places = f"COURSE, OUT, PID = {target.course!r}, {target.out!r}, {target.grader_pid}"
        return looking(places, body)

    return cells


LIST = [
    Attack("frames", "expected values and judges in the callers' frames", (SETUP, WRONG, LOOK, """
import sys
def logsumexp(x, dim):
    frame = sys._getframe()
    while frame:
        for scope in (frame.f_locals, frame.f_globals):
            for value in list(scope.values()):
                look(repr(value))
        look(repr(frame.f_code.co_consts))
        frame = frame.f_back
    tell()
"""), says="observed 0"),
    Attack("gc-objects", "every object of the process", (SETUP, WRONG, LOOK, """
import gc, types
def logsumexp(x, dim):
    for item in gc.get_objects():
        try:
            if isinstance(item, (str, bytes)):
                look(item)
            elif type(item) is dict:
                for value in list(item.values()):
                    if isinstance(value, (str, bytes)):
                        look(value)
            elif isinstance(item, types.FunctionType):
                look(repr(item.__code__.co_consts))
        except Exception:
            pass
    tell()
"""), says="observed 0"),
    Attack("own-memory", "the memory of the kernel, which is a fork of a process of the grader's", looking("""
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        span, mode = line.split()[:2]
        low, high = (int(part, 16) for part in span.split("-"))
        if "rw" in mode and high - low < 200 << 20 and not line.endswith((".so\\n", "[vvar]\\n")):
            try:
                memory.seek(low)
                look(memory.read(high - low))
            except (OSError, ValueError, OverflowError):
                pass
"""), says="observed 0"),
    Attack("tests", "the hidden tests and the reference, by their path", at("""
look_below(COURSE)
for below in ("hidden_tests/*.py", "source.py", "q*/*.py", "shared/*.py", "opening.py", "ps*.toml"):
    for path in glob.glob("/home/*/*/ps*/" + below) + glob.glob("/**/" + below) + glob.glob(COURSE + "/*/" + below):
        look_at(path)
"""), levels=FILES, says="observed 0"),
    Attack("results", "other submissions, the gradebook and the run's seed", at("""
look_below(OUT)
look_at(OUT + "/run.json")
"""), levels=FILES, says="observed 0"),
    Attack("walk", "whatever lies in the usual places", at("""
look_below("/scratch", "/home", "/tmp", "/root", "/srv", "/opt", "/mnt", "/var", "/run", "/dev/shm", limit=2000)
for root in ("/", "/..", "/proc/1/root", "/proc/self/root", "/proc/1/cwd", "/.old"):
    for path in (COURSE, OUT):
        look_below(root.rstrip("/") + path, limit=100)
"""), levels=FILES, says="observed 0"),
    Attack("environments", "environments and command lines of all processes", looking("""
look(repr(dict(os.environ)))
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline") + glob.glob("/proc/*/task/*/environ"):
    look_at(path)
"""), says="observed 0"),
    Attack("descriptors", "open files, of its own and of others", looking("""
for link in glob.glob("/proc/*/fd/*"):
    try:
        where = os.readlink(link)
    except OSError:
        continue
    look(where)
    if where.startswith("/") and os.path.isfile(link):
        look_at(link)
"""), says="observed 0"),
    Attack("grader-memory", "the grader's memory, through /proc, ptrace and process_vm_readv", at("""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
class IO(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
for pid in {PID, os.getppid(), 1}:
    libc.ptrace(16, pid, 0, 0)
    look_at(f"/proc/{pid}/maps")
    try:
        with open(f"/proc/{pid}/maps") as maps:
            spans = [line.split()[0].split("-") for line in maps if "rw" in line]
    except OSError:
        spans = [("400000", "500000")]
    for low, high in spans[:200]:
        low, size = int(low, 16), min(int(high, 16) - int(low, 16), 1 << 20)
        buffer = ctypes.create_string_buffer(size)
        here, there = IO(ctypes.addressof(buffer), size), IO(low, size)
        if libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:
            look(buffer.raw)
        try:
            with open(f"/proc/{pid}/mem", "rb", 0) as memory:
                memory.seek(low)
                look(memory.read(size))
        except (OSError, ValueError):
            pass
tell
"""), levels=("namespaces",), says="observed 0"),
    Attack("shared-memory", "System V and POSIX shared memory, key rings, message queues", looking("""
import ctypes
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
for number in range(200):
    place = libc.shmat(number, None, 0o10000)
    if place not in (None, 2**64 - 1, -1):
        try:
            look(ctypes.string_at(place, 4096))
        except OSError:
            pass
look_below("/dev/shm", "/dev/mqueue")
look_at("/proc/keys")
look_at("/proc/sysvipc/shm")
"""), says="observed 0"),
    Attack("autograder", "the grader's own package and its modules", looking("""
try:
    import autograder.probes.load, autograder.grading.referee
    look(repr(vars(autograder.grading.referee)))
    _found.add("autograder can be imported")
except (ImportError, OSError):
    pass
""") + ("logsumexp = lambda x, dim: tell()",), says="observed 0"),
    Attack("linecache", "sources that Python has kept", looking("""
import linecache
look(repr(linecache.cache))
import inspect
for module in list(sys.modules.values()):
    if (getattr(module, "__name__", "") or "").startswith(("dgm", "_probe", "autograder", "_hidden", "_set", "ps8")):
        try:
            look(inspect.getsource(module))
        except (OSError, TypeError):
            pass
"""), says="observed 0"),
    Attack("request", "all that a probe's request holds", (SETUP, WRONG, LOOK, """
def logsumexp(x, dim):
    frame, sources = sys._getframe(), []
    while frame:
        if "request" in frame.f_locals:
            request = frame.f_locals["request"]
            sources.append(repr(request))
            look(repr(request))
            assert not any(word in request["source"] for word in ("near", "expected", "mistake", "judge")), "LEAK"
        frame = frame.f_back
    assert sources
    tell()
"""), says="observed 0"),
    Attack("payload", "what the frozen checks in the notebook hold", lambda target: (*looking(
        f"payload = {target.payload!r}",
        """
import dgm.grader.payload as p
data = p.unpack(payload)
look(repr(data))
look(repr(p.read_questions(data)))
"""),), says="observed 0"),
]
