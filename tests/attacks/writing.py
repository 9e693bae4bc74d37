"""Writing results, poisoning what others use, and talking to the outside."""

from .attack import SETUP, WRONG, Attack, Target

FILES = ("namespaces", "landlock")
TRIED = """
import os, glob
wrote = []
def put(path, text="score = 11"):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a") as file:
            file.write(text)
        if not path.startswith(("/tmp/", os.getcwd(), os.environ["HOME"], os.environ["TMPDIR"])):  # may be its own
            wrote.append(path)
    except OSError:
        pass
def logsumexp(x, dim):
    raise RuntimeError(f"wrote {len(wrote)}: {wrote}")
"""
REACHED = TRIED.replace("wrote {len(wrote)}", "reached {len(wrote)}")


def put(name: str, tries: str, body: str, **more) -> Attack:
    def cells(target: Target) -> tuple[str, ...]:
        return SETUP, WRONG, TRIED, f"OUT, COURSE, DROP = {target.out!r}, {target.course!r}, {target.drop!r}", body

    return Attack(name, tries, cells, says="wrote 0", **more)


def reach(name: str, tries: str, body: str, **more) -> Attack:
    def cells(target: Target) -> tuple[str, ...]:
        places = f"PORT, ABSTRACT, OUT, PID = {target.port}, {target.abstract!r}, {target.out!r}, {target.grader_pid}"
        return SETUP, WRONG, REACHED, places, body

    return Attack(name, tries, cells, says="reached 0", **more)


LIST = [
    put("results-files", "results where graders look for them", """
import json
full = json.dumps({"score": 11, "tests": [{"score": 11, "max_score": 11}]})
for place in ("/autograder/results/results.json", OUT + "/results/results-files.json", OUT + "/cache/x.json",
              OUT + "/run.json", OUT + "/gradebook.db", DROP + "/results.json"):
    put(place, full)
for place in ("results.json", os.environ["HOME"] + "/results.json", os.environ["TMPDIR"] + "/results.json"):
    put(os.path.abspath(place), full)
""", levels=FILES),
    put("tests-changed", "other tests and another reference", """
SET = COURSE + "/ps8_attacked"
for path in (SET + "/hidden_tests/q1.py", SET + "/source.py", COURSE + "/course.toml",
             *(SET + "/q01_logsumexp/" + name for name in ("cells.py", "probes.py", "mistakes.py", "alternatives.py")),
             SET + "/ps8.toml", SET + "/opening.py", SET + "/shared/nets.py"):
    put(path, "raise SystemExit")
    try:
        os.unlink(path)
    except OSError:
        pass
""", levels=FILES),
    put("site-packages", "sitecustomize, .pth files and byte code for the next kernel", """
import sys, torch, numpy, dgm
for place in [*sys.path, *(os.path.dirname(module.__file__) for module in (os, torch, numpy, dgm))]:
    for name in ("sitecustomize.py", "evil.pth", "__pycache__/evil.pyc", "__init__.py"):
        put(os.path.join(place, name), "")
for path in glob.glob(os.path.dirname(dgm.__file__) + "/checks/__pycache__/*.pyc"):
    put(path, "")
""", levels=FILES),
    put("homes", "start-up files in homes and temporary folders", """
put(os.environ["HOME"] + "/.ipython/profile_default/startup/00.py", "score = 11")
put(os.environ["HOME"] + "/.config/matplotlib/matplotlibrc", "x")
for place in ("/root/.ipython/startup.py", "/tmp/evil.py", "/var/tmp/evil", "/home/evil", "/etc/profile.d/evil.sh",
              "/etc/ld.so.preload", "/run/evil", DROP + "/evil"):
    put(place)
for place in glob.glob("/tmp/dgmpool-*") + glob.glob("/run/kernel*"):
    put(place + "/evil")
""", levels=FILES),
    put("scratch-left", "files in the scratch folder that the next submission finds", """
import torch
for folder in (os.getcwd(), os.environ["HOME"], os.environ["TMPDIR"]):
    found = [name for name in os.listdir(folder) if "evil" in name]
    wrote.extend(found)
    for name in ("evil-torch.py", "torch.py", "numpy.py"):
        with open(os.path.join(folder, name), "w") as file:
            file.write("raise SystemExit")
"""),
    reach("tcp", "the network, and the grader's own machine", """
import socket
for address in (("127.0.0.1", PORT), ("1.1.1.1", 53), ("::1", PORT), ("169.254.169.254", 80)):
    try:
        socket.create_connection(address, timeout=0.5).close()
        wrote.append(address)
    except OSError:
        pass
try:
    socket.getaddrinfo("example.org", 80)
    wrote.append("names")
except OSError:
    pass
""", levels=FILES),
    reach("udp", "sends datagrams out", """
import socket
for family, address in ((socket.AF_INET, ("1.1.1.1", 53)), (socket.AF_INET6, ("2606:4700::1111", 53))):
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.connect(address)
            s.send(b"x")
            wrote.append(address)
    except OSError:
        pass
for kind in (socket.SOCK_RAW, 10):
    try:
        socket.socket(17, kind, 0).close()
        wrote.append("packets")
    except OSError:
        pass
""", levels=FILES),
    reach("abstract-sockets", "abstract sockets of the grader and of other kernels", """
import socket
names = [ABSTRACT]
try:
    with open("/proc/net/unix") as file:
        names += [line.split("@")[1].strip() for line in file if "@" in line]
except OSError:
    pass
for name in names:
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect("\\0" + name)
            wrote.append(name)
        except OSError:
            pass
""", levels=FILES),
    reach("pool-sockets", "the sockets of other kernels in the pool's folder", """
import socket
import zmq
paths = glob.glob("/tmp/dgmpool-*/s-*/*") + glob.glob("/run/kernel/*")
endpoint = get_ipython().kernel.iopub_thread.socket.getsockopt(zmq.LAST_ENDPOINT).decode()
paths += glob.glob(os.path.dirname(endpoint.removeprefix("ipc://").rstrip("\\0")) + "/*")
paths += glob.glob(os.path.dirname(os.path.dirname(endpoint.removeprefix("ipc://").rstrip("\\0"))) + "/s-*/*")
for path in paths:
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
            wrote.append(path)
        except OSError:
            pass
"""),
    reach("signals-out", "signals to the grader, its parent process and process 1", """
import signal
for pid in (PID, os.getppid()):
    for number in (0, signal.SIGCONT):
        try:
            if pid not in (0, 1):
                os.kill(pid, number)
                wrote.append((pid, number))
        except OSError:
            pass
""", levels=("namespaces",)),
]
