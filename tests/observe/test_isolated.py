import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from nodecheck.node import isolated
from nodecheck.node.isolated import Channel, Helper, HelperGone, HelperTimeout, each

from .bus import state, stop, wait_until

CHECKOUT = pathlib.Path(__file__).parent.parent.parent


def echo(channel: Channel) -> None:
    while True:
        channel.send(channel.receive())


def sleep(_channel: Channel) -> None:
    time.sleep(60)


@pytest.mark.parametrize(
    "data",
    [
        None,
        1,
        2**80,
        0.5,
        "ü",
        b"\0",
        [1, [2]],
        {"a": (1, None)},
        frozenset({1}),
        "x" * 5_000_000,
        list(range(300_000)),
    ],
)
def test_plain_data_arrives_as_it_was_sent(data: Any) -> None:
    with Helper(echo) as helper:
        helper.channel.send(data)
        assert data == helper.channel.receive(time.monotonic() + 5)


def test_messages_keep_their_order_and_their_ends() -> None:
    with Helper(echo) as helper:
        for number in range(500):
            helper.channel.send(["x" * number, number])
        received = [helper.channel.receive(time.monotonic() + 5)[1] for _ in range(500)]
    assert list(range(500)) == received


def test_sending_to_a_helper_that_does_not_read_does_not_wait() -> None:
    helper = Helper(sleep)
    started = time.monotonic()
    helper.channel.send("x" * 5_000_000)
    assert time.monotonic() - started < 0.5
    with pytest.raises(HelperTimeout):
        helper.channel.receive(time.monotonic() + 0.1)
    assert helper.leave()


def test_a_helper_that_does_not_answer_costs_the_deadline_only() -> None:
    helper = Helper(sleep)
    started = time.monotonic()
    with pytest.raises(HelperTimeout):
        helper.channel.receive(started + 0.2)
    assert 0.2 <= time.monotonic() - started < 0.4
    assert helper.leave()
    assert state(helper.pid) == ""


def test_an_answer_that_is_there_is_heard_after_the_deadline_too() -> None:
    def serve(channel: Channel) -> None:
        channel.send("x" * 500_000)

    with Helper(serve) as helper:
        wait_until(lambda: state(helper.pid) == "Z", "the helper has answered although nobody reads, and ended")
        assert len(helper.channel.receive(time.monotonic() - 1)) == 500_000


def die(_channel: Channel) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def raise_error(_channel: Channel) -> None:
    raise ValueError


def do_nothing(_channel: Channel) -> None:
    pass


@pytest.mark.parametrize("serve", [die, raise_error, do_nothing])
def test_a_helper_that_ends_without_an_answer_is_gone(serve: Any) -> None:
    helper = Helper(serve)
    with pytest.raises(HelperGone):
        helper.channel.receive(time.monotonic() + 5)
    assert helper.leave()
    assert state(helper.pid) == ""


def test_a_helper_that_dies_in_the_middle_of_a_message_is_gone() -> None:
    def serve(channel: Channel) -> None:
        os.write(channel._write_end, b"\xff\x00\x00\x00half")

    with pytest.raises(HelperGone), Helper(serve) as helper:
        helper.channel.receive(time.monotonic() + 5)


def test_a_stopped_helper_can_be_left() -> None:
    helper = Helper(sleep)
    stop(helper.pid)
    assert helper.leave()
    assert state(helper.pid) == ""


def test_a_helper_that_cannot_be_killed_is_left_behind_and_collected_later(monkeypatch: pytest.MonkeyPatch) -> None:
    helper = Helper(sleep)
    with monkeypatch.context() as patched:
        patched.setattr(os, "kill", lambda *_: None)  # as for one that hangs in the kernel
        started = time.monotonic()
        assert not helper.leave()
        assert time.monotonic() - started < 0.8
    os.kill(helper.pid, signal.SIGKILL)
    wait_until(lambda: state(helper.pid) == "Z", "it is killed at last")
    isolated._collect_ended()
    assert state(helper.pid) == ""


def test_helpers_that_have_ended_do_not_gather() -> None:
    pids = []
    for _ in range(20):
        with Helper(do_nothing) as helper:
            pids.append(helper.pid)
    wait_until(lambda: {"", "Z"} >= {state(pid) for pid in pids}, "all have ended")
    with Helper(do_nothing):
        assert {""} == {state(pid) for pid in pids}


def test_an_exception_ends_the_helper() -> None:
    with pytest.raises(KeyboardInterrupt), Helper(sleep) as helper:
        raise KeyboardInterrupt
    assert state(helper.pid) == ""


def test_a_helper_holds_nothing_open_but_its_channel() -> None:
    def serve(channel: Channel) -> None:
        paths = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
        channel.send(sorted(os.readlink(path).partition(":")[0] for path in paths if os.path.lexists(path)))

    reader, writer = os.pipe()
    other = Helper(sleep)
    with Helper(serve) as helper:
        held = helper.channel.receive(time.monotonic() + 5)
    other.leave()
    os.close(reader)
    os.close(writer)
    assert held == ["/dev/null", "/dev/null", "/dev/null", "pipe", "pipe"]


# ---- each


def test_each_item_has_its_answer() -> None:
    assert each(str, [1, 2], time.monotonic() + 5) == {1: "1", 2: "2"}
    assert each(str, [], time.monotonic() + 5) == {}


def slow(number: int) -> int:
    time.sleep(60 if number % 10 == 0 else 0)
    return number


def test_items_that_hang_are_left_out_a_few_times() -> None:
    started = time.monotonic()
    assert list(each(slow, [1, 10, 2, 20, 11], time.monotonic() + 5)) == [1, 2, 11]
    assert 1.0 <= time.monotonic() - started < 1.6
    started = time.monotonic()
    assert list(each(slow, [10, 1, 20, 30, 2, 40, 3], time.monotonic() + 5)) == [1]
    assert 1.5 <= time.monotonic() - started < 2.1


def test_items_that_hang_keep_the_deadline() -> None:
    started = time.monotonic()
    assert each(slow, [10, 20, 30], started + 0.1) == {}
    assert time.monotonic() - started < 0.5


# ---- in a program of its own

LEAVING = """
import os, signal, sys, time
sys.path.insert(0, {checkout!r})
from nodecheck.node.isolated import Helper
helper = Helper(lambda channel: (channel.send("detached"), time.sleep(60)))
helper.channel.receive(time.monotonic() + 5)
{code}
print(helper.pid, flush=True)
os._exit(0)
"""


def run(code: str, **options: Any) -> str:
    """Run a program, and wait until nobody holds its output open any more, as $(...) does."""
    lines = LEAVING.format(checkout=str(CHECKOUT), code=code)
    arguments = [sys.executable, "-c", lines]
    output: bytes = subprocess.run(arguments, stdout=subprocess.PIPE, timeout=10, check=True, **options).stdout
    return output.decode().strip()


@pytest.mark.parametrize("code", ["", "os.kill(helper.pid, signal.SIGSTOP)"])
def test_a_helper_that_is_left_running_holds_no_output_open(code: str) -> None:
    pid = int(run(code))
    os.kill(pid, signal.SIGKILL)


def test_who_started_us_may_ignore_the_end_of_children() -> None:
    lines = """
print(helper.leave())
ended = Helper(lambda channel: None)
time.sleep(0.1)
print(ended.leave())
"""
    assert run(lines, preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)).split()[:2] == ["True", "True"]


def test_the_standard_streams_may_be_closed() -> None:
    lines = f"""
import os, sys, time
sys.path.insert(0, {str(CHECKOUT)!r})
[os.close(stream) for stream in (0, 1, 2)]
from nodecheck.node.isolated import Helper
with Helper(lambda channel: channel.send("heard")) as helper:
    os._exit(7 if helper.channel.receive(time.monotonic() + 5) == "heard" else 1)
"""
    assert subprocess.run([sys.executable, "-c", lines], check=False).returncode == 7


def test_an_interrupt_leaves_no_helper_behind(tmp_path: pathlib.Path) -> None:
    lines = f"""
import pathlib, sys, time
sys.path.insert(0, {str(CHECKOUT)!r})
from nodecheck.node import isolated
def hang(path):
    import os
    pathlib.Path(path).write_text(str(os.getpid()))
    time.sleep(60)
isolated.STUCK_SECONDS = 60
isolated.each(hang, [{str(tmp_path / "pid")!r}], time.monotonic() + 60)
"""
    program = subprocess.Popen([sys.executable, "-c", lines], stderr=subprocess.DEVNULL)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "", "the helper hangs")
    wait_until(lambda: state(program.pid) == "S", "the parent waits")
    program.send_signal(signal.SIGINT)  # to the parent alone, as kill -INT does
    assert program.wait(5) != 0
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: state(pid) in ("", "Z"), "the helper is gone", 1)
