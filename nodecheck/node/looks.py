"""Many looks at once: in threads of one helper process, so that none waits for another that takes its time.

What a look imports, the helper imports. A look that hangs in the kernel hangs in its thread; what has not answered in
its time is left behind with the helper.
"""

from __future__ import annotations

import os
import time
from collections import deque
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nodecheck.durations import format_duration
from nodecheck.node import interruption, stuck, windows
from nodecheck.node.isolated import Channel, Helper, HelperGone, HelperTimeout, Interrupted
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Semaphore

    from nodecheck.node.windows import WindowWant

MOST_THREADS = 32
PATIENCE_SECONDS = 0.004  # a look that has not ended by then takes its time, and the others get a thread more
STACK_BYTES = 512 << 10
# Of its time a look has to have this much left when its turn comes, or a busy node would be taken for a silent daemon.
FAIR = 0.25
SPEAK_OF_TLS = ("https:", "tls:")
GRACE_SECONDS = 0.2  # a look that keeps its own time says more than we do


_expecting: list[Helper] = []  # one, from expect() to the first looks


def expect(text: str) -> None:
    """Have a helper load what takes long, if the text of a definition file speaks of it, while that file is read.

    It is a guess: where it is wrong, a look loads for itself what it needs, or the helper ends unused.
    """
    if not _expecting and any(word in text for word in SPEAK_OF_TLS):
        spoken_of = [name for name in windows.names() if f"{name}:" in text]
        _expecting.append(Helper(lambda channel: _load_and_serve(channel, spoken_of)))


class Looks:
    """Looks through windows. Making one begins them; `results` waits for them, `close` ends the helper."""

    def __init__(self, wants: Sequence[WindowWant]) -> None:
        # With the window: wants of two windows are equal tuples where they have the same fields.
        self._wants = list({(want.window, want): want for want in wants}.values())
        self._started = time.monotonic()
        self._late: list[str] = []  # what was looked at in vain
        self._interrupted = False
        known = stuck.known()
        hanging = {number: by for number, want in enumerate(self._wants) if (by := known.get(repr(_thing(want))))}
        # By the number of the want.
        self._results: dict[int, Any] = {number: _hangs(self._wants[number], by) for number, by in hanging.items()}
        self._before = frozenset(hanging)
        self._hanging = sorted({by.pid for by in hanging.values()})
        asked = [(number, want) for number, want in enumerate(self._wants) if number not in self._results]
        self._helper = self._expecting_helper(asked) or Helper(lambda channel: _serve(channel, asked, self._started))

    def _expecting_helper(self, asked: list[tuple[int, WindowWant]]) -> Helper | None:
        """Return the helper that has loaded what looks need; one with threads can fork nobody who runs programs."""
        if not _expecting or _run_programs(asked):
            return None
        helper = _expecting.pop()
        try:
            helper.channel.send(([(number, *_as_plain(want)) for number, want in asked], self._started))
        except ValueError:  # a field of one is no plain data
            helper.leave()
            return None
        except BrokenPipeError:
            pass  # it is gone: receiving says so
        return helper

    def results(self, deadline: float) -> list[tuple[WindowWant, Any]]:
        """Return each want with plain data, or Unobserved; `deadline` is a time of the monotonic clock in seconds."""
        due = [min(deadline, self._started + want.seconds + GRACE_SECONDS) for want in self._wants]
        while waiting := [number for number in range(len(due)) if number not in self._results]:
            try:
                number, answer, hangs = self._helper.channel.receive(min(due[number] for number in waiting))
                self._results[number] = _from_helper(*answer)
                self._late += [_thing(self._wants[number])] if hangs else []
            except Interrupted:
                self._results |= dict.fromkeys(waiting, Unobserved("looks", interruption.reason()))
                self._interrupted = True
            except HelperTimeout:
                now = time.monotonic()
                late = [number for number in waiting if due[number] <= now]
                self._results |= {number: _late(self._wants[number], now - self._started) for number in late}
                self._late += [_thing(self._wants[number]) for number in late]
            except HelperGone:
                ended = Unobserved("looks", "the process that looks ended without an answer")
                self._results |= dict.fromkeys(waiting, ended)
        return [(want, self._results[number]) for number, want in enumerate(self._wants)]

    def close(self) -> str:
        """End the helper; return a description of those that cannot be ended, "" where there are none."""
        asked = (answer for number, answer in self._results.items() if number not in self._before)
        saw_all = all(not isinstance(answer, Unobserved) or not answer.broken for answer in asked)
        if saw_all and not self._late and not self._interrupted:
            self._helper.end()
        elif not self._helper.leave():
            stuck.remember(self._helper.pid, self._late)
            self._hanging.append(self._helper.pid)
        who = "; ".join(map(stuck.who, self._hanging))
        return f"a helper that looks ({who}) hangs in the kernel and was left behind" if who else ""


def _thing(want: WindowWant) -> str:
    return f"{want.window} {want.key}"


def _called(want: WindowWant) -> str:
    """What people call it: a key may hold more, which tells apart what is called the same."""
    return str(getattr(want, "called", want.key))


def _hangs(want: WindowWant, by: stuck.Stuck) -> Unobserved:
    """What hung in an earlier run and still does is not looked at again, and is as late as ever."""
    ago = format_duration(max(0.0, time.time() - by.since))
    reason = f"looking at {_called(want)} hangs in the kernel for {ago} ({by.who}), and was not tried again"
    return Unobserved(_thing(want), reason, broken=True)


def _as_plain(want: Any) -> tuple[str, str, tuple[Any, ...]]:
    return type(want).__module__, type(want).__name__, tuple(want)


def _run_programs(wants: list[tuple[int, WindowWant]]) -> bool:
    return any(getattr(windows.window_named(want.window), "RUNS_PROGRAMS", False) for _, want in wants)


def _late(want: WindowWant, seconds: float) -> Unobserved:
    """That nothing came back in time is a fact about what was looked at; whether a fault, the check type knows."""
    source = f"{want.window} {want.key}"
    reason = f"looking at {_called(want)} did not end within {format_duration(seconds)}"
    return Unobserved(source, reason, broken=True, late=True)


def _from_helper(seen: bool, answer: Any) -> Any:
    return answer if seen else Unobserved(**answer)


# ---- what follows runs in the helper


def _load_and_serve(channel: Channel, names: list[str]) -> None:
    """Answer as soon as we are asked; loading goes on meanwhile, in a thread, for whoever needs what is loaded."""
    from _thread import start_new_thread

    start_new_thread(_load, (names,))
    wants, started = channel.receive()
    _serve(channel, _made(wants), started)


def _load(names: list[str]) -> None:
    """Load TLS and the windows of these names."""
    from nodecheck.node.windows import _wire

    _wire.load_tls()
    for name in names:
        windows.window_named(name)


def _made(plain: list[tuple[int, str, str, tuple[Any, ...]]]) -> list[tuple[int, WindowWant]]:
    return [(number, getattr(import_module(module), kind)(*values)) for number, module, kind, values in plain]


def _serve(channel: Channel, wants: list[tuple[int, WindowWant]], started: float) -> None:
    import threading
    from _thread import start_new_thread

    from nodecheck.node import mounts

    if _run_programs(wants):
        from nodecheck.node import programs

        programs.prepare()
    threading.stack_size(STACK_BYTES)
    start_new_thread(_end_with_asker, (channel,))
    waiting = deque(wants)
    lock = threading.Lock()
    ended = threading.Semaphore(0)

    def work() -> None:
        while waiting:
            try:
                number, want = waiting.popleft()
            except IndexError:  # another thread was quicker
                return
            try:
                left = _time_left(want, started)
                answer = _look(_with_seconds(want, left)) if left > FAIR * want.seconds else _too_late(want)
                hangs = threading.get_ident() in mounts.unanswered
                mounts.unanswered.discard(threading.get_ident())
                with lock:
                    channel.send((number, answer, hangs))
            finally:
                ended.release()

    left = len(wants) - _start_as_needed(work, waiting, ended)
    for _ in range(left):
        ended.acquire()


def _end_with_asker(channel: Channel) -> None:
    """Whoever asked says no more: the end of the channel is its own, and then nobody waits for an answer."""
    os.read(channel.fileno(), 1)
    os._exit(1)


def _start_as_needed(work: Callable[[], None], waiting: deque[Any], ended: Semaphore) -> int:
    """Start threads until nothing waits any more; return how many looks have ended meanwhile.

    Most looks end at once, and one thread does them all: starting one costs more than they do, and all threads share
    one processor. Where no look ends, the next one gets a thread of its own.
    """
    from _thread import start_new_thread  # threading's waits until the new thread runs

    seen = threads = 0
    while waiting and threads < MOST_THREADS:
        start_new_thread(work, ())
        threads += 1
        while waiting and ended.acquire(timeout=PATIENCE_SECONDS):
            seen += 1
    return seen


def _time_left(want: WindowWant, started: float) -> float:
    """The time of a look runs from the start of all: one that had to wait for its turn has less of it."""
    return want.seconds - (time.monotonic() - started)


def _with_seconds(want: Any, seconds: float) -> Any:
    return want._replace(seconds=seconds)


def _too_late(want: WindowWant) -> tuple[bool, Any]:
    """Too little time for an answer says nothing of who was to give it."""
    reason = f"{_called(want)} could not be looked at in time: this node is busy, or too much else of it hangs"
    dark = Unobserved(f"{want.window} {want.key}", reason, remedy="give this check a longer timeout")
    return False, dark.to_data()


def _look(want: WindowWant) -> tuple[bool, Any]:
    """Return (whether it was seen, plain data or why not)."""
    window = windows.window_named(want.window)
    source = f"{want.window} {want.key}"
    try:
        assert window is not None  # noqa: S101  # a want comes from the file of its window
        return True, window.look(want)
    except Unobserved as dark:
        return False, dark.to_data()
    except OSError as error:
        return False, Unobserved(source, f"{_called(want)} cannot be looked at: {error.strerror or error}").to_data()
    except Exception as error:  # noqa: BLE001  # the traceback would be lost with the helper
        told = f"an error in nodecheck itself while looking at {_called(want)}: {type(error).__name__}: {error}"
        return False, Unobserved(source, told).to_data()
