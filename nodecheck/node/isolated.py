"""Helper processes, for what may never answer: a bus, a process in D state, a name service, a network mount.

A helper is forked, does its work and sends plain data back. Whoever asked waits up to a deadline and then leaves it
behind: a thread could not be left, and a process that hangs in the kernel cannot even be killed.
"""

from __future__ import annotations

import fcntl
import marshal
import os
import select
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from nodecheck import progress
from nodecheck.node import interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

HEADER_BYTES = 4
GONE_WITHIN_MILLISECONDS = 50  # a killed process is gone by then, or waits in the kernel, or gives back much memory
FREED_WITHIN_MILLISECONDS = 500
LIFETIME_SECONDS = 600  # a helper whose parent was killed ends by itself
PIPE_BYTES = 1 << 20  # what is said is then in the pipe although nobody reads yet; more than this root alone may have
STUCK_SECONDS = 0.5
STUCK_AT_MOST = 3

Item = TypeVar("Item", int, str)
_ended: list[int] = []  # helpers that end by themselves, or hang: collected when they have
_started: set[int] = set()  # all helpers of this process
_own: set[int] = set()  # more processes that are nodecheck itself


class HelperTimeout(Exception):
    """The helper did not answer before the deadline."""


class Interrupted(HelperTimeout):
    """A signal came that ends the run, before the helper answered."""


class HelperGone(Exception):
    """The helper ended without an answer."""


class Channel:
    """Plain data both ways between two processes of one interpreter.

    marshal rather than JSON or pickle: both ends are the same Python, and it is there without an import. The parent's
    end does not block: what the pipe does not take at once goes out while the parent waits for the answer.
    """

    def __init__(self, read_end: int, write_end: int) -> None:
        self._read_end = read_end
        self._write_end = write_end
        self._incoming = bytearray()
        self._outgoing = b""

    def send(self, data: Any) -> None:
        """Send plain data; raises BrokenPipeError when the other end is gone."""
        body = marshal.dumps(data)
        self._outgoing += len(body).to_bytes(HEADER_BYTES, "little") + body
        self._push()

    def receive(self, deadline: float | None = None) -> Any:
        """Return the next data; `deadline` is a time of the monotonic clock in seconds.

        Raises HelperTimeout when it passes first, Interrupted when a signal came that ends the run, HelperGone when the
        other end closed.
        """
        size = int.from_bytes(self._take(HEADER_BYTES, deadline), "little")
        return marshal.loads(self._take(size, deadline))  # noqa: S302  # from our own fork, never from outside

    def fileno(self) -> int:
        """Return the end to read from, to be polled: it is at its end when the other process is gone."""
        return self._read_end

    def close(self) -> None:
        """Close both directions."""
        os.close(self._read_end)
        os.close(self._write_end)

    def _push(self) -> None:
        with suppress(BlockingIOError):
            while self._outgoing:
                self._outgoing = self._outgoing[os.write(self._write_end, self._outgoing) :]

    def _take(self, size: int, deadline: float | None) -> bytes:
        while len(self._incoming) < size:
            self._wait(deadline)
            chunk = os.read(self._read_end, 1 << 16)
            if not chunk:
                raise HelperGone
            self._incoming += chunk
        taken = bytes(self._incoming[:size])
        del self._incoming[:size]
        return taken

    def _wait(self, deadline: float | None) -> None:
        """Wait until there is something to read, and write meanwhile what still has to go out."""
        if deadline is None and not self._outgoing:
            return
        poll = select.poll()
        poll.register(self._read_end, select.POLLIN)
        bell = interruption.bell()
        if bell is not None:
            poll.register(bell, select.POLLIN)
        while True:
            if self._outgoing:
                poll.register(self._write_end, select.POLLOUT)
            events = dict(poll.poll(None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000))
            if not events:
                raise HelperTimeout
            if self._read_end in events:
                return
            if bell in events:
                raise Interrupted
            with suppress(BrokenPipeError):
                self._push()
            poll.unregister(self._write_end)


class Helper:
    """A forked process that runs `serve(channel)`; the parent talks to it over `channel`.

    As a context manager it is let go of at the end, and killed when an exception ended the block.
    """

    def __init__(self, serve: Callable[[Channel], None]) -> None:
        _collect_ended()
        to_child, from_parent = os.pipe()
        to_parent, from_child = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _serve_and_exit(serve, to_child, from_child)
        _started.add(self.pid)
        os.close(to_child)
        os.close(from_child)
        os.set_blocking(from_parent, False)
        with suppress(OSError):  # this user has too many large pipes already
            for pipe in (from_parent, to_parent):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.channel = Channel(to_parent, from_parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.end()
        else:
            self.leave()

    def end(self) -> None:
        """Let go of a helper that has answered: it ends by itself, and nobody has to wait for that."""
        self.channel.close()
        _ended.append(self.pid)
        _collect_ended()

    def leave(self) -> bool:
        """Kill the helper; return whether it is gone. One that hangs in the kernel stays, and nobody waits for it."""
        self.channel.close()
        if kill(self.pid):
            return True
        _ended.append(self.pid)
        return False


class Starter:
    """Forks helpers in the place of a process that has threads, or will have them.

    A fork copies the locks that other threads hold, and in the copy nobody ever lets go of them: it hangs at its next
    import, say (fork(2), NOTES; https://docs.python.org/3/library/os.html#os.fork). So it is made before the threads.
    """

    def __init__(self, serve: Callable[[Channel], None]) -> None:
        from socket import AF_UNIX, SOCK_SEQPACKET, socketpair

        _collect_ended()
        self._asking, asked = socketpair(AF_UNIX, SOCK_SEQPACKET)
        self._pid = os.fork()
        if self._pid == 0:
            _start_and_exit(serve, asked.fileno())
        asked.close()

    def helper(self) -> Channel:
        """Return a channel to a new helper that runs `serve`. Raises OSError when the starter is gone."""
        from socket import send_fds

        to_child, from_parent = os.pipe()
        to_parent, from_child = os.pipe()
        try:
            send_fds(self._asking, [b"helper"], [to_child, from_child])
        except OSError:
            os.close(from_parent)
            os.close(to_parent)
            raise
        finally:
            os.close(to_child)
            os.close(from_child)
        os.set_blocking(from_parent, False)
        return Channel(to_parent, from_parent)

    def close(self) -> None:
        """Let go of it; its helpers see for themselves whether they are still asked for something."""
        self._asking.close()
        _ended.append(self._pid)
        _collect_ended()


def is_ours(pid: int, parent: int) -> bool:
    """Tell whether a process is this one, or a helper of it; a number alone may belong to somebody else by now."""
    return pid == os.getpid() or pid in _own or (pid in _started and parent == os.getpid())


def own(pid: int) -> None:
    """Know a process that is not looked at: the one that guards this run, and outlives it."""
    _own.add(pid)


def kill(pid: int) -> bool:
    """Kill a child of this process; return whether it is gone. One that hangs in the kernel stays, and nobody waits."""
    with suppress(ProcessLookupError):  # whoever started us ignores SIGCHLD, so the kernel has collected it
        os.kill(pid, signal.SIGKILL)
    for milliseconds in range(FREED_WITHIN_MILLISECONDS):
        if _is_collected(pid):
            return True
        if milliseconds >= GONE_WITHIN_MILLISECONDS and _waits_in_kernel(pid):
            return False
        time.sleep(0.001)
    return False


def _waits_in_kernel(pid: int) -> bool:
    """Tell whether a process is uninterruptible, proc_pid_stat(5): one that gives back much memory is not."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[:1] == [b"D"]
    except OSError:
        return False


class Each(Generic[Item]):
    """Calls of a function for each of some items, in a helper. Making one begins them; `answers` waits for them."""

    def __init__(self, function: Callable[[Item], Any], items: Iterable[Item]) -> None:
        self._function: Callable[[Item], Any] = function
        self._waiting: list[Item] = list(items)
        self._helper = self._begin()

    def answers(self, deadline: float) -> dict[Item, Any]:
        """Return what the calls return; where one hangs, its item is missing.

        A helper that hangs is left behind, and another one goes on with the next item; a few times.
        """
        answers = self._until_stuck(deadline)
        for _ in range(STUCK_AT_MOST - 1):
            left = [item for item in self._waiting if item not in answers]
            self._waiting = left[1:]  # the first is the one that hangs
            if not self._waiting:
                break
            self._helper = self._begin()
            answers |= self._until_stuck(deadline)
        return answers

    def _begin(self) -> Helper:
        def serve(channel: Channel) -> None:
            for item in self._waiting:
                channel.send((item, self._function(item)))

        return Helper(serve)

    def _until_stuck(self, deadline: float) -> dict[Item, Any]:
        answers: dict[Item, Any] = {}
        with suppress(HelperTimeout, HelperGone), self._helper as helper:
            while len(answers) < len(self._waiting):
                item, answer = helper.channel.receive(min(deadline, time.monotonic() + STUCK_SECONDS))
                answers[item] = answer
        return answers


def each(function: Callable[[Item], Any], items: Iterable[Item], deadline: float) -> dict[Item, Any]:
    """Call a function for each item; see Each."""
    return Each(function, items).answers(deadline)


def _collect_ended() -> None:
    """Collect the helpers that have ended since, so that a long run gathers no zombies."""
    _ended[:] = [pid for pid in _ended if not _is_collected(pid)]


def _is_collected(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:  # the kernel has done it
        return True


def _serve_and_exit(serve: Callable[[Channel], None], read_end: int, write_end: int) -> None:
    """Never return: what the parent would do at its end must not be done twice."""
    try:
        _forget_the_guard()
        channel = Channel(*_detach(read_end, write_end))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # a caller's "ignore" would be inherited
        signal.alarm(LIFETIME_SECONDS)
        serve(channel)
    except BaseException:  # noqa: BLE001  # whatever it was, the parent sees the closed channel as HelperGone
        os._exit(1)
    os._exit(0)


def _start_and_exit(serve: Callable[[Channel], None], asked: int) -> None:
    """Fork a helper whenever we are asked to, until nobody can ask any more; never return."""
    from socket import recv_fds, socket

    try:
        _forget_the_guard()
        with socket(fileno=_detach(asked)[0]) as connection:
            while (request := recv_fds(connection, 1 << 6, 2))[0]:
                with suppress(ChildProcessError):  # there is none, or the kernel has done it
                    while os.waitpid(-1, os.WNOHANG)[0]:
                        pass
                if os.fork() == 0:
                    _serve_and_exit(serve, *request[1])
                for end in request[1]:
                    os.close(end)
    except BaseException:  # noqa: BLE001  # as above: whoever asks sees the closed socket
        os._exit(1)
    os._exit(0)


def _forget_the_guard() -> None:
    interruption.forget()
    progress.forget()


def _detach(*ends: int) -> list[int]:
    """Give up all that is open: a helper left behind must not keep a caller's pipe open, nor another helper's."""
    # Above the standard streams: a caller that has closed those made room for our pipes there.
    kept = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends]
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    for descriptor in [int(name) for name in os.listdir("/proc/self/fd")]:
        if descriptor > 2 and descriptor not in kept:
            with suppress(OSError):  # the one that listed them
                os.close(descriptor)
    return kept
