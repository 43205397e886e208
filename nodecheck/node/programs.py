"""Other programs, run for a look: with an end, a limit to what they say, and nothing of them left behind.

Each has a keeper, a helper process of its own. It becomes the parent of all that the program leaves behind, also of
what has left its session (prctl(2), PR_SET_CHILD_SUBREAPER), and ends all of it, also when whoever asked is gone.
"""

from __future__ import annotations

import errno
import os
import re
import select
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from nodecheck.node.isolated import HelperGone, HelperTimeout, Starter
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Callable

    from nodecheck.node.isolated import Channel

KEPT_BYTES = 64 << 10  # of each stream
FLOOD_BYTES = 16 << 20  # a program that says more than this is ended
GONE_SECONDS = 0.1  # for what was killed; what takes longer hangs in the kernel
KEEPER_SECONDS = 0.15  # more than the program's time: the keeper says what happened
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MAY_BECOME_ANOTHER = 1 << 5 | 1 << 6 | 1 << 7
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
# How a program's run came to its end.
ENDED, TIMEOUT, FLOOD, NOT_STARTED = "ended", "timeout", "flood", "not_started"


_prepared: list[Starter] = []  # one, where programs are run from threads


class Account(NamedTuple):
    """Whose program it is: ids, groups and home of a user."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


class Program(NamedTuple):
    """What to run, for at most so many seconds, as whom (None: as nodecheck).

    Of each stream `kept` bytes are kept; a program that says more than `flood` bytes is ended.
    """

    words: tuple[str, ...]
    seconds: float
    account: Account | None = None
    kept: int = KEPT_BYTES
    flood: int = FLOOD_BYTES


class Stream(NamedTuple):
    """What a program said: the start of it, how many bytes it was altogether, and whether this is all."""

    text: str
    size: int
    whole: bool


class Run(NamedTuple):
    """What became of a program.

    `outcome` is one of the words above. `exit_code` is None for one that a signal ended, whose name is in `signal`.
    `left` processes of it were still there at its end, `stuck` of them also after they were killed. `error` says why
    it was not started.
    """

    outcome: str
    exit_code: int | None
    signal: str
    stdout: Stream
    stderr: Stream
    left: int
    stuck: int
    seconds: float
    error: str


def run(program: Program) -> Run:
    """Run a program and return what became of it. Raises Unobserved where its keeper does not answer."""
    deadline = time.monotonic() + program.seconds
    starter = _prepared[0] if _prepared else _starter()
    try:
        answer = _ask(starter, program, deadline)
    except (HelperTimeout, HelperGone, OSError) as error:
        raise Unobserved("programs", f"the process that keeps {program.words[0]} did not answer") from error
    finally:
        if not _prepared:
            starter.close()
    outcome, code, ended_by, stdout, stderr, *others = answer
    return Run(outcome, code, ended_by, Stream(*stdout), Stream(*stderr), *others)


def prepare() -> None:
    """Be ready to run programs from many threads; to be called before there is the first of them."""
    _prepared.append(_starter())


def _starter() -> Starter:
    prctl = _prctl()  # here, so that not each keeper loads it
    return Starter(lambda channel: _keep(channel, prctl))


def _ask(starter: Starter, program: Program, deadline: float) -> Any:
    keeper = starter.helper()
    try:
        account = program.account and tuple(program.account)
        keeper.send((*program._replace(account=None), account, deadline))
        return keeper.receive(deadline + KEEPER_SECONDS)
    finally:
        keeper.close()  # and no signal: one that is late has still to clear up


def account(user: str) -> Account:
    """Return a user's ids. Raises Unobserved where there is no such user, or we may not become that user."""
    import pwd

    source = f"user {user}"
    try:
        entry = pwd.getpwnam(user)
    except KeyError as error:
        raise Unobserved(source, f"there is no user {user} on this node") from error
    if os.geteuid() != entry.pw_uid and not _may_become_another():
        remedy = "run nodecheck as root with CAP_SETUID, CAP_SETGID and CAP_KILL"
        raise Unobserved(source, f"nodecheck may not run something as {user} here", remedy=remedy)
    groups = os.getgrouplist(user, entry.pw_gid)
    return Account(entry.pw_uid, entry.pw_gid, tuple(groups), entry.pw_dir)


def _may_become_another() -> bool:
    """Tell whether we may, and end what then runs: CAP_KILL, CAP_SETGID and CAP_SETUID of capabilities(7)."""
    with open("/proc/self/status", encoding="utf-8", errors="replace") as status:
        found = re.search(r"^CapEff:\s*([0-9a-f]+)", status.read(), re.MULTILINE)
    return found is not None and int(found[1], 16) & MAY_BECOME_ANOTHER == MAY_BECOME_ANOTHER


def _prctl() -> Callable[[int, int], int]:
    import ctypes

    call = ctypes.CDLL(None).prctl
    return lambda option, value: int(call(option, ctypes.c_ulong(value), 0, 0, 0))


# ---- what follows runs in the keeper


def _keep(channel: Channel, prctl: Callable[[int, int], int]) -> None:
    *fields, account, deadline = channel.receive()
    program = Program(*fields)._replace(account=account and Account(*account))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # "ignore" would have the kernel collect what we wait for
    os.setsid()  # Ctrl-C, or timeout(1), ends those who asked, with their group: the keeper has still to clear up
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    started = time.monotonic()
    try:
        streams, pid = _start(program, prctl)
    except OSError as error:
        nothing = ("", 0, True)
        channel.send((NOT_STARTED, None, "", nothing, nothing, 0, 0, 0.0, error.strerror))
        return
    outcome = _watch(streams, pid, channel.fileno(), deadline)
    seconds = time.monotonic() - started
    left, stuck, status = _clear(pid, spare=outcome == ENDED)
    for stream in streams:
        stream.drain()
    code, ended_by = _told(status)
    said = [stream.said() for stream in streams]
    channel.send((outcome, code, ended_by, *said, left, stuck, seconds, ""))


class _Output:
    """One end of a pipe to which the program writes."""

    def __init__(self, kept: int, flood: int) -> None:
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        self.open = True
        self.size = 0
        self._kept = kept
        self._flood = flood
        self._data = bytearray()

    def read(self) -> None:
        """Take what is there; all of it is counted, and the start of it kept."""
        try:
            chunk = os.read(self.read_end, 1 << 16)
        except BlockingIOError:
            return
        self.open = bool(chunk)
        self.size += len(chunk)
        self._data += chunk[: max(0, self._kept - len(self._data))]

    def drain(self) -> None:
        """Take what is still in the pipe: nobody writes to it any more."""
        before = -1
        while self.open and before != self.size:
            before = self.size
            self.read()

    @property
    def flooded(self) -> bool:
        """Tell whether it was more than anybody reads."""
        return self.size > self._flood

    def said(self) -> tuple[str, int, bool]:
        """Return the fields of a Stream."""
        return self._data.decode("utf-8", "replace"), self.size, self.size == len(self._data)


def _start(program: Program, prctl: Callable[[int, int], int]) -> tuple[tuple[_Output, _Output], int]:
    """Return (stdout and stderr, pid). Raises OSError, as what was to become the program got it."""
    streams = (_Output(program.kept, program.flood), _Output(program.kept, program.flood))
    report, failed = os.pipe()
    keeper = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(program, streams, failed, (keeper, prctl))
    for end in (failed, *(stream.write_end for stream in streams)):
        os.close(end)
    number = os.read(report, 16)  # closed by a successful exec
    os.close(report)
    if number:
        os.waitpid(pid, 0)
        raise OSError(int(number), os.strerror(int(number)))
    return streams, pid


def _heed_signals() -> None:
    """What we ignore (Python: SIGPIPE) or whoever started us (nohup, a shell) would be inherited."""
    for number in signal.valid_signals():
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def _become(
    program: Program, streams: tuple[_Output, _Output], failed: int, keeper: tuple[int, Callable[[int, int], int]]
) -> NoReturn:
    """Become the program; never return."""
    try:
        os.setsid()
        for stream, number in zip(streams, (1, 2), strict=True):
            os.dup2(stream.write_end, number)
        _give_up_protection()
        home = _take_account(program.account)
        parent, prctl = keeper
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # after the account: a change of ids takes it back
        _heed_signals()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.umask(0o022)
        os.chdir("/")
        if os.getppid() == parent:
            os.execvpe(program.words[0], program.words, {"PATH": PATH, "LANG": "C.UTF-8", "HOME": home})  # noqa: S606  # no shell is the point
    except OSError as error:
        os.write(failed, b"%d" % (error.errno or errno.EINVAL))
    except BaseException:  # noqa: BLE001  # nothing of the keeper may go on here: a NUL in a word, say
        os.write(failed, b"%d" % errno.EINVAL)
    os._exit(127)


def _give_up_protection() -> None:
    """The kernel spares nodecheck when memory runs out (OOMScoreAdjust= of its service), but not what it runs."""
    with open("/proc/self/oom_score_adj", "r+", encoding="ascii") as adjustment:
        if int(adjustment.read()) < 0:
            adjustment.seek(0)
            adjustment.write("0")


def _take_account(account: Account | None) -> str:
    """Become a user; return the home directory."""
    if account is None:
        return os.path.expanduser("~") if os.geteuid() else "/root"
    if os.geteuid() != account.uid:
        os.setgroups(account.groups)
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)
    return account.home


def _watch(streams: tuple[_Output, _Output], pid: int, asker: int, deadline: float) -> str:
    """Read what the program says until it ends, says too much, takes too long, or whoever asked is gone."""
    poll = select.poll()
    process = os.pidfd_open(pid)
    by_end = {stream.read_end: stream for stream in streams}
    for end in (process, asker, *by_end):
        poll.register(end, select.POLLIN)
    while (left := deadline - time.monotonic()) > 0:
        ready = {end for end, _ in poll.poll(left * 1000)}
        for end in ready & by_end.keys():
            by_end[end].read()
            if not by_end[end].open:
                poll.unregister(end)
                del by_end[end]
        if asker in ready:
            break
        if process in ready:
            return ENDED
        if any(stream.flooded for stream in streams):
            return FLOOD
    return TIMEOUT


def _clear(pid: int, *, spare: bool) -> tuple[int, int, int]:
    """Kill all that is left of the program; return how much that was, how much of it stays, and its wait status.

    `spare`: the program itself has ended.
    """
    status = os.waitpid(pid, 0)[1] if spare else int(signal.SIGKILL)
    seen: set[int] = set()
    deadline = time.monotonic() + GONE_SECONDS
    _collect()
    while (children := _children()) and time.monotonic() < deadline:
        for child in children:  # a killed parent's children become ours, and are next
            with suppress(PermissionError):  # it has become another user's
                os.kill(child, signal.SIGKILL)
        seen |= children
        time.sleep(0.001)
        _collect()
    return len(seen - {pid}), len(children), status


def _collect() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _children() -> set[int]:
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
        return set(map(int, children.read().split()))


def _told(status: int) -> tuple[int | None, str]:
    """Return (exit code, name of the signal) of a wait status."""
    if os.WIFEXITED(status):
        return os.WEXITSTATUS(status), ""
    number = os.WTERMSIG(status)
    with suppress(ValueError):
        return None, signal.Signals(number).name
    return None, f"signal {number}"
