"""The two sockets through which the grader talks to one kernel, and the directory they lie in."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import zmq
from zmq.utils.monitor import parse_monitor_message

# A connection's queue holds this many messages: with the size of one it bounds the grader's memory.
QUEUE = 8


class KernelSockets:
    """Bound by the grader, connected by the kernel. After ``stop_listening`` nobody else can connect."""

    def __init__(self, context: zmq.Context[Any], parent: Path, message_bytes: int, uid: int | None) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="s-", dir=parent))
        self.shell = self._socket(context, zmq.DEALER, message_bytes)
        self.iopub = self._socket(context, zmq.SUB, message_bytes)
        self.iopub.subscribe(b"")
        self._monitors = [socket.get_monitor_socket(zmq.EVENT_DISCONNECTED) for socket in (self.shell, self.iopub)]
        for name, socket in (("shell", self.shell), ("iopub", self.iopub)):
            path = self.directory / name
            socket.bind(f"ipc://{path}")
            path.chmod(0o600)
            if uid is not None:
                os.chown(path, uid, uid)
        if uid is not None:
            self.directory.chmod(0o700)
            os.chown(self.directory, uid, uid)
        self.poller = zmq.Poller()
        for item in (self.shell, self.iopub, *self._monitors):
            self.poller.register(item, zmq.POLLIN)

    @staticmethod
    def _socket(context: zmq.Context[Any], kind: int, message_bytes: int) -> zmq.Socket[Any]:
        socket = context.socket(kind)
        socket.linger = 0
        socket.setsockopt(zmq.MAXMSGSIZE, message_bytes)
        socket.rcvhwm = QUEUE
        socket.sndtimeo = 2000
        return socket

    def stop_listening(self) -> None:
        """Keep the connections and let nobody make new ones: without its name a socket cannot be reached.

        (``unbind`` would close the connections too.)
        """
        shutil.rmtree(self.directory, ignore_errors=True)

    def disconnected(self) -> str:
        """Which connection is gone, "shell" or "iopub"; libzmq hangs up on a message that is too large."""
        lost = ""
        for name, monitor in zip(("shell", "iopub"), self._monitors):
            while monitor.poll(0):
                event = parse_monitor_message(monitor.recv_multipart())
                if event["event"] == zmq.EVENT_DISCONNECTED:
                    lost = lost or name
        return lost

    def close(self) -> None:
        """Close everything; safe to call twice."""
        for socket, monitor in zip((self.shell, self.iopub), self._monitors):
            if not socket.closed:
                socket.disable_monitor()
                socket.close(0)
                monitor.close(0)
        shutil.rmtree(self.directory, ignore_errors=True)
