"""ipykernel, started inside an already locked-down process and connected to the grader's two sockets.

An ordinary kernel binds five sockets and clients connect. Ours connects two sockets that the grader has bound: then
nothing outside the sandbox has to be writable, and the grader can stop listening once the kernel is there.
"""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import types
import uuid
from collections.abc import Callable
from typing import Any

import zmq
from ipykernel.control import ControlThread
from ipykernel.iostream import IOPubThread
from ipykernel.kernelapp import IPKernelApp
from ipykernel.shellchannel import ShellChannelThread
from tornado.ioloop import IOLoop
from traitlets.config import Config
from zmq.eventloop.zmqstream import ZMQStream

HARNESS_MODULE = "_probe_harness"
FLOOD = 100  # times the output that is allowed: nobody prints so much who means to stop


class _ChildOutput(IOPubThread):
    """Collects what forked subprocesses print through a private socket file rather than a TCP port."""

    def _setup_pipe_in(self) -> None:
        self._pipe_uuid = os.urandom(16)
        self._pipe_address = f"ipc://{os.environ['HOME']}/.out-{uuid.uuid4().hex[:8]}"
        pipe_in = self.socket.context.socket(zmq.PULL)
        pipe_in.linger = 0
        pipe_in.bind(self._pipe_address)
        self._pipe_in = ZMQStream(pipe_in, self.io_loop)
        self._pipe_in.on_recv(self._handle_pipe_msg)

    def _setup_pipe_out(self) -> tuple[Any, Any]:
        context = zmq.Context()  # a forked process must not use its parent's
        pipe_out = context.socket(zmq.PUSH)
        pipe_out.linger = 3000
        pipe_out.connect(self._pipe_address)
        return context, pipe_out


class SandboxedKernelApp(IPKernelApp):
    """An IPython kernel without connection file, heartbeat, debugger, history and listening sockets."""

    socket_directory = ""

    def parse_command_line(self, argv: Any = None) -> None:
        """There is none."""

    def load_config_file(self, *args: Any, **kwargs: Any) -> None:
        """There are none in an empty home directory."""

    def init_extensions(self) -> None:
        """IPython's own ``%store`` would write to a home directory that nobody sees again."""

    def init_connection_file(self) -> None:
        """The key and the addresses come from the grader directly."""

    def write_connection_file(self, **kwargs: Any) -> None:
        """Nothing connects to us."""

    def log_connection_info(self) -> None:
        self._ports = {}

    def init_heartbeat(self) -> None:
        """The grader watches the process itself."""

    def init_sockets(self) -> None:
        self.context = context = zmq.Context()
        self.shell_socket = context.socket(zmq.ROUTER)
        self.shell_socket.connect(f"ipc://{self.socket_directory}/shell")
        self.stdin_socket = context.socket(zmq.ROUTER)
        self.stdin_socket.bind(f"inproc://stdin-{uuid.uuid4()}")
        self.control_socket = context.socket(zmq.ROUTER)
        self.control_socket.bind(f"inproc://control-{uuid.uuid4()}")
        self.debugpy_socket = context.socket(zmq.STREAM)
        self.debug_shell_socket = context.socket(zmq.DEALER)
        self.control_thread = ControlThread(daemon=True)
        before_7_3 = "shell_socket" in inspect.signature(ShellChannelThread.__init__).parameters
        arguments = (context, self.shell_socket) if before_7_3 else (context,)
        self.shell_channel_thread = ShellChannelThread(*arguments, daemon=True)
        for socket in (self.shell_socket, self.stdin_socket, self.control_socket):
            socket.linger = 1000
        iopub = context.socket(zmq.XPUB)
        iopub.linger = 1000
        iopub.connect(f"ipc://{self.socket_directory}/iopub")
        self.configure_tornado_logger()
        self.iopub_thread = _ChildOutput(iopub, pipe=True, session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket


def _config(key: bytes) -> Config:
    config = Config()
    config.Session.key = key
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Plain"  # the others look at every frame's source, for half a minute in a recursion
    # show() displays and closes figures as in any notebook, but nobody looks at the pictures: do not draw them
    config.InlineBackend.figure_formats = set()
    config.IPKernelApp.log_level = 50
    return config


def prepare(spec: dict[str, Any]) -> SandboxedKernelApp:
    """A kernel that is ready to ``start()``, with the probe harness loaded and numeric libraries set up."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(spec["threads"])
    SandboxedKernelApp.socket_directory = spec["socket_directory"]
    app = SandboxedKernelApp.instance(config=_config(spec["key"].encode()))
    app.initialize([])
    shell: Any = app.shell
    _inline_figures(shell)
    shell.system = _shell_commands(shell)
    shell.ask_exit = lambda: None  # `exit()` in a notebook would end the kernel a moment later, amid probes
    _drop_long_output(spec["limits"]["output_bytes"])
    _wake_on_signals()
    harness = types.ModuleType(HARNESS_MODULE)
    sys.modules[HARNESS_MODULE] = harness
    exec(compile(spec["harness"], f"<{HARNESS_MODULE}>", "exec"), harness.__dict__)
    harness.install(app.kernel, device=spec["device"], limit=spec["limits"]["message_bytes"])
    return app


def _drop_long_output(limit: int) -> None:
    """Drop what is printed beyond three quarters of what is allowed, so that a cell that prints much runs to its end.

    An endless flood is passed on in the end, and the grader stops it.
    """
    written = 0

    def limited(write: Callable[[str], int | None]) -> Callable[[str], int | None]:
        def dropping(text: str) -> int | None:
            nonlocal written
            before = written
            written += len(text) if isinstance(text, str) else 0
            if written > 0.75 * limit and before < FLOOD * limit and isinstance(text, str):
                return len(text)
            return write(text)

        return dropping

    for stream in (sys.stdout, sys.stderr):
        stream.write = limited(stream.write)  # type: ignore[method-assign]


def _shell_commands(shell: Any) -> Callable[[str], None]:
    """What ``!command`` calls. IPython's own wants a terminal, and there are none here."""

    def system(command: str) -> None:
        expanded = shell.var_expand(command, depth=1)
        with subprocess.Popen(
            expanded, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            assert process.stdout is not None
            try:
                while data := os.read(process.stdout.fileno(), 1 << 16):
                    sys.stdout.write(data.decode(errors="replace"))
                    sys.stdout.flush()  # or a flood would pile up in the stream's buffer
            except KeyboardInterrupt:
                process.kill()
                raise
        shell.user_ns["_exit_code"] = process.returncode

    return system


def _wake_on_signals() -> None:
    """Let an interrupt reach a cell that awaits: ipykernel's handler does not wake the event loop by itself."""
    read_end, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def drain(fd: Any, events: int) -> None:
        os.read(read_end, 4096)

    IOLoop.current().add_handler(read_end, drain, IOLoop.READ)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)


def _inline_figures(shell: Any) -> None:
    """What importing the inline backend in a running kernel does; the zygote imported it before there was one."""
    if "matplotlib_inline.backend_inline" not in sys.modules:
        return
    from matplotlib_inline.backend_inline import configure_inline_support

    configure_inline_support(shell, "inline")
