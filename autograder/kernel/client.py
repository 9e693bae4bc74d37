"""Drives one kernel: runs cells, runs probes, and never raises whatever the kernel does."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from autograder.kernel import render
from autograder.kernel.fair_clock import PATIENCE, FairClock
from autograder.kernel.handle import ProcessHandle
from autograder.kernel.sockets import TOO_LARGE, Channel, KernelSockets
from autograder.kernel.types import Execution, ExecutionStatus, Limits, ProbeReply, ProbeStatus, SandboxError
from autograder.kernel.wire import Codec, Message

INTERRUPT_GRACE = 2.0  # for a cell to end after SIGINT
PROBE_GRACE = 3.0  # the kernel enforces a probe's timeout itself; this is for when it does not
IDLE_GRACE = 2.0  # for the last output after a reply
FLOOD = 2000  # messages that nobody asked for, in a kernel's life
FEW = 4  # of them come with each request
LARGE = 1 << 16  # bytes for which a message counts once more
LOOK = 0.5  # seconds between two looks at how long the kernel waited for a processor
BATCH = 64  # messages taken in before the clock is looked at again
REQUEST_BYTES = 16 * 2**20
EXECUTION_STATUS: dict[str, ExecutionStatus] = {
    "timeout": "timeout", "output": "output", "flood": "output", "deadline": "deadline",
}  # fmt: skip
PROBE_STATUS: dict[str, ProbeStatus] = {
    "ok": "ok", "timeout": "timeout", "died": "died", "memory": "memory", "too_large": "too_large",
}  # fmt: skip


@dataclass
class _Exchange:
    """One request and what has come back so far."""

    identity: str
    reply_kind: str
    spent: tuple[int, int]  # output before this request
    limit: float
    clock: FairClock
    looked: float  # at the clock
    most: float  # seconds by which waiting for a processor may put a limit off
    fixed: float = 0.0  # the limit without that
    before: float = 0.0  # what was waited before the limit was set
    verdict: str = ""  # why it was cut short
    reply: Message | None = None
    replied_at: float = 0.0
    idle: bool = False
    tails: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fixed = self.limit

    def set_limit(self, limit: float) -> None:
        """Another limit, off which waiting puts from now on."""
        self.limit = self.fixed = limit
        self.before = self.clock.waited()

    def look(self, now: float) -> None:
        """Put the limit off by what the kernel has waited for a processor."""
        self.looked = now
        self.limit = self.fixed + min(self.clock.waited() - self.before, self.most)

    def answered_by(self, message: Message) -> bool:
        """Whether this is the first reply to the request."""
        return self.reply is None and (message.kind, message.parent) == (self.reply_kind, self.identity)


class Maker(Protocol):
    """What a kernel needs of the pool that made it."""

    limits: Limits
    level: str
    device: str
    threads: int

    def forget(self, kernel: Kernel, handle: ProcessHandle) -> None:
        """Hear that this kernel has ended."""


class Parent(Protocol):
    """What a kernel needs of a process that was started only to fork it."""

    def close(self) -> None:
        """End that process."""


class Kernel:
    """One sandboxed kernel. A context manager; leaving it kills the whole process tree."""

    def __init__(
        self, maker: Maker, handle: ProcessHandle, sockets: KernelSockets, codec: Codec, parent: Parent | None
    ) -> None:
        self._maker, self._handle, self._sockets, self._codec, self._parent = maker, handle, sockets, codec, parent
        self._limits = maker.limits
        self._deadline = time.monotonic() + self._limits.total_seconds
        self._waited = 0.0  # for a processor, in all requests
        self._printed = 0
        self._displayed = 0
        self._requests = 0
        self._unasked = 0  # messages about the kernel's state, malformed ones, and replies to nothing
        self._dead = ""
        self._closed = False

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def level(self) -> str:
        """The sandbox level that this kernel runs in."""
        return self._maker.level

    def close(self) -> None:
        """Kill every process of this kernel and free what belongs to it. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._dead = self._dead or "The kernel was closed."
        self._release()
        if self._parent is not None:
            self._parent.close()

    @property
    def alive(self) -> bool:
        """Whether the kernel can still answer, as far as is known without asking it."""
        return not self._dead and self._handle.alive()

    def stop(self) -> None:
        """End the kernel's processes from any thread; ``close`` is still needed."""
        self._handle.stop()

    def _release(self) -> None:
        self._maker.forget(self, self._handle)
        self._handle.kill()
        self._sockets.close()

    def wait_ready(self, timeout: float) -> None:
        """Wait until both sockets work, then stop listening on them.

        Raises:
            SandboxError: The kernel died, or did not come up in time.
        """
        deadline = time.monotonic() + timeout
        identity, frames = self._codec.request("kernel_info_request", {})
        asked, replied, published = False, False, False
        while not (replied and published and self._handle.ready):
            if time.monotonic() > deadline:
                raise SandboxError("A kernel did not start in time.")
            self._sockets.wait(0.05, self._handle.control.fileno())
            if self._handle.has_event() and not self._handle.read_event():
                raise SandboxError("A kernel died while it started.")
            published = self._receive(self._sockets.iopub) is not None or published
            message = self._receive(self._sockets.shell)
            replied = replied or (message is not None and message.parent == identity)
            # what was published before we had subscribed is lost, so ask again
            again = message is not None and not published
            if self._sockets.shell.connected and self._sockets.iopub.connected and (again or not asked):
                self._sockets.shell.send(frames)
                asked = True
        self._sockets.stop_listening()
        self._deadline = time.monotonic() + self._limits.total_seconds

    def execute(self, code: str, timeout: float | None = None) -> Execution:
        """Run one cell."""
        started = time.monotonic()
        if self._dead:
            return Execution("died", evalue=self._dead)
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {},
                   "allow_stdin": False, "stop_on_error": False}  # fmt: skip
        exchange = self._exchange(
            "execute_request", content, "execute_reply", self._limits.cell_seconds if timeout is None else timeout
        )
        plain = Execution(
            "ok",
            seconds=time.monotonic() - started,
            waited=self._credit(exchange, started),
            stdout_tail=exchange.tails.get("stdout", ""),
            stderr_tail=exchange.tails.get("stderr", ""),
        )
        if exchange.reply is None or exchange.verdict:
            status = EXECUTION_STATUS.get(exchange.verdict, "died")
            return replace(plain, status=status, evalue=_why(exchange, self._dead, self._limits))
        answer = exchange.reply.parse()
        if answer.get("status") == "ok":
            return plain
        if not answer:
            return replace(plain, status="error", ename="Error", evalue="The error message is too long.")
        trace = render.traceback(answer.get("traceback"))
        return replace(
            plain,
            status="error",
            ename=render.text(answer.get("ename"), 200),
            evalue=render.text(answer.get("evalue"), 2000),
            traceback=trace,
            line=render.line(trace, answer.get("execution_count"), code),
        )

    def probe(self, request: Mapping[str, object], timeout: float | None = None) -> ProbeReply:
        """Run one probe in a fork of the kernel."""
        started = time.monotonic()
        if self._dead:
            return ProbeReply("died", message=self._dead)
        seconds = self._limits.probe_seconds if timeout is None else timeout
        kills = self._handle.memory_kills
        content = {"request": dict(request), "timeout": min(seconds, self._deadline - started)}
        # a fork is killed by the kernel itself when its time is over; without one we interrupt
        grace = PROBE_GRACE if self._maker.device == "cpu" else 0.0
        exchange = self._exchange("probe_request", content, "probe_reply", seconds + grace)
        waited = self._credit(exchange, started)
        return replace(self._probe_reply(exchange, kills), seconds=time.monotonic() - started, waited=waited)

    def _probe_reply(self, exchange: _Exchange, kills: int) -> ProbeReply:
        """What a probe's reply says; ``kills`` is how many processes had been killed for their memory before."""
        if exchange.reply is None or exchange.verdict:
            status: ProbeStatus = "died"
            if self._handle.memory_kills > kills:
                status = "memory"
            elif exchange.verdict in ("timeout", "deadline"):
                status = exchange.verdict  # type: ignore[assignment]
            return ProbeReply(status, message=_why(exchange, self._dead, self._limits))
        answer = exchange.reply.parse()
        status = PROBE_STATUS.get(str(answer.get("status")), "malformed")
        if status == "died" and self._handle.memory_kills > kills:
            return ProbeReply("memory", message=f"Your code used more than {self._limits.memory_mb} MB of memory.")
        if status == "ok" and len(exchange.reply.buffers) == 1:
            return ProbeReply("ok", bytes(exchange.reply.buffers[0]))
        if status in ("ok", "malformed"):
            return ProbeReply("malformed", message="The kernel sent an answer that makes no sense.")
        return ProbeReply(status, message=render.text(answer.get("message"), 300))

    def _credit(self, exchange: _Exchange, started: float) -> float:
        """Put the submission's deadline off by what the kernel waited for a processor; returns that time."""
        if time.monotonic() - started < LOOK / 5:
            return 0.0  # not worth a look
        most = (PATIENCE - 1) * self._limits.total_seconds - self._waited
        waited = max(0.0, min(exchange.clock.waited(), most))
        self._waited += waited
        self._deadline += waited
        return waited

    def _exchange(self, kind: str, content: Mapping[str, object], reply_kind: str, timeout: float) -> _Exchange:
        """Send a request and take in what comes, until the reply, a limit, or the end of the kernel."""
        now = time.monotonic()
        overall = self._deadline <= now + timeout
        identity, frames = self._codec.request(kind, content)
        limit = self._deadline if overall else now + timeout
        clock = FairClock(self._handle.init_pid, self._maker.threads)
        most = (PATIENCE - 1) * max(0.0, limit - now)
        exchange = _Exchange(identity, reply_kind, (self._printed, self._displayed), limit, clock, now, most)
        if now >= self._deadline:
            exchange.verdict = "deadline"
            self._die(f"The submission used up its {self._limits.total_seconds:g} seconds.")
            return exchange
        if sum(map(len, frames)) > REQUEST_BYTES:
            exchange.verdict = "died"
            return exchange
        self._requests += 1
        self._sockets.shell.send(frames)
        while not self._dead and not self._finished(exchange):
            self._step(exchange)
            now = time.monotonic()
            if self._dead or exchange.reply is not None:
                continue
            if now >= min(exchange.limit, exchange.looked + LOOK):
                exchange.look(now)
            if now >= exchange.limit:
                self._cut_short(exchange, "deadline" if overall else "timeout")
            elif self._over_output(exchange) and not exchange.verdict:
                self._cut_short(exchange, "output")
        if self._over_output(exchange) and not exchange.verdict and not self._dead:
            exchange.verdict = "output"
        return exchange

    def _finished(self, exchange: _Exchange) -> bool:
        if exchange.reply is None:
            # an interrupt that arrives while ipykernel is about to reply costs the reply, but not the status
            return exchange.idle and bool(exchange.verdict)
        return exchange.idle or time.monotonic() > exchange.replied_at + IDLE_GRACE

    def _cut_short(self, exchange: _Exchange, verdict: str) -> None:
        """Interrupt once; kill when that was tried already, or is of no use."""
        tried = bool(exchange.verdict)
        exchange.verdict = exchange.verdict or verdict
        exchange.set_limit(time.monotonic() + INTERRUPT_GRACE)
        if exchange.verdict == "deadline":
            self._die(f"The submission used up its {self._limits.total_seconds:g} seconds.")
        elif tried:
            self._die("The kernel was killed because an earlier cell or check did not stop.")
        else:
            self._handle.interrupt()

    def _over_output(self, exchange: _Exchange) -> bool:
        """Whether this request added to an output that is over its limit."""
        printed, displayed = exchange.spent
        limits = self._limits
        too_much_text = self._printed > max(printed, limits.output_bytes)
        return too_much_text or self._displayed > max(displayed, limits.display_bytes)

    def _step(self, exchange: _Exchange) -> None:
        """Wait a moment, and take in what has arrived."""
        if exchange.reply is not None:
            left = exchange.replied_at + IDLE_GRACE - time.monotonic()
        else:
            left = exchange.limit - time.monotonic()
        self._sockets.wait(max(0.001, min(LOOK, left)), self._handle.control.fileno())
        for channel in (self._sockets.iopub, self._sockets.shell):
            self._drain(channel, exchange)
            if self._dead:
                return
        if self._handle.has_event():
            alive = self._handle.read_event()
            if not alive or self._handle.exit_code is not None:
                self._drain(self._sockets.shell, exchange)
                self._ended(exchange)
                return
        if exchange.reply is None and (self._sockets.shell.lost or self._sockets.iopub.lost):
            self._disconnected(exchange)

    def _ended(self, exchange: _Exchange) -> None:
        exchange.verdict = "died" if exchange.reply is None else ""
        self._die(self._handle.reason or _how_it_ended(self._handle.exit_code))

    def _disconnected(self, exchange: _Exchange) -> None:
        if self._sockets.iopub.lost == TOO_LARGE:
            exchange.verdict = exchange.verdict or "output"
            self._die("Your code displayed more at once than is accepted.")
        elif self._sockets.shell.lost == TOO_LARGE:
            exchange.verdict = exchange.verdict or "died"
            self._die("Your code returned more data than is accepted.")
        elif self._handle.wait_exit(1.0):  # the usual reason, and about to be reported
            self._ended(exchange)
        else:
            exchange.verdict = exchange.verdict or "died"
            self._die("Your code closed the connection to the kernel.")

    def _drain(self, channel: Channel, exchange: _Exchange) -> None:
        for _ in range(BATCH):
            frames = channel.receive()
            if frames is None or self._dead:
                return
            message = self._count(channel, frames, exchange)
            if message is None or message.parent != exchange.identity:
                continue
            if channel is self._sockets.iopub:
                self._take_output(message, exchange)
            elif exchange.answered_by(message):
                exchange.reply, exchange.replied_at = message, time.monotonic()

    def _receive(self, channel: Channel) -> Message | None:
        frames = channel.receive()
        return None if frames is None else self._codec.parse(frames)

    def _count(self, channel: Channel, frames: list[bytes], exchange: _Exchange) -> Message | None:
        """A message; None when it is malformed. In any case it counts, and a flood of them is the end."""
        message = self._codec.parse(frames)
        size = sum(map(len, frames))
        if channel is self._sockets.iopub and message is not None and message.kind != "status":
            if message.kind == "stream":
                self._printed += size
            else:
                self._displayed += size
            return message
        if channel is self._sockets.iopub or message is None or not exchange.answered_by(message):
            self._unasked += 1 + size // LARGE
        if self._unasked > FLOOD + FEW * self._requests:
            exchange.verdict = "flood"
            self._die(f"Your code sent more than {FLOOD} messages that nobody asked for.")
        return message

    def _take_output(self, message: Message, exchange: _Exchange) -> None:
        if message.kind == "status":
            exchange.idle = exchange.idle or message.parse().get("execution_state") == "idle"
        elif message.kind == "stream" and not self._over_output(exchange):
            content = message.parse()
            name = "stderr" if content.get("name") == "stderr" else "stdout"
            exchange.tails[name] = (exchange.tails.get(name, "") + render.text(content.get("text"), None))[-4000:]

    def _die(self, reason: str) -> None:
        """The kernel is of no more use: kill it now rather than at close."""
        if not self._dead:
            self._dead = reason
            self._release()


def _how_it_ended(code: int | None) -> str:
    if code is None or code == 0:
        return "Your code ended the process."
    if code > 0:
        return f"Your code ended the process (exit code {code})."
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"Your code ended the process ({name})."


def _why(exchange: _Exchange, dead: str, limits: Limits) -> str:
    """One sentence for a reply that is not there."""
    after = "" if not dead else " It could not be interrupted, so the kernel was killed."
    if exchange.verdict == "timeout":
        return "Your code did not finish in time." + after
    if exchange.verdict == "output":
        return "Your code printed or displayed more than is allowed." + after
    return dead or "The request was too large."
