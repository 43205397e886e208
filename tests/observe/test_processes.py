import os
import pathlib
import shutil
import signal
import time

import pytest

from nodecheck.node import isolated, processes
from nodecheck.node.isolated import Helper
from nodecheck.node.processes import Process, ProcessTable, ProcessWant, unit_of_cgroup
from nodecheck.node.unobserved import MASK

from .bus import stop
from .children import NOBODY, Child, call, elsewhere, kill, own_mounts, set_name, zombie

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


def collect(fields: str = "", details: str = "", *, pid: int | None = None, seconds: float = 5) -> ProcessTable:
    """Make one pass; details only for the process with this pid."""

    def selects(process: Process) -> bool | None:
        return process.pid == pid

    want = ProcessWant(frozenset(fields.split()), frozenset(details.split()), selects)
    return processes.collect([want], time.monotonic() + seconds)


def seen(pid: int, fields: str = "", details: str = "") -> Process:
    (process,) = (process for process in collect(fields, details, pid=pid).processes if process.pid == pid)
    return process


# ---- what /proc says


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"a-name-that-is-far-too-long", "a-name-that-is-"),
        (b"kube-apiserver", "kube-apiserver"),
        (b"a (b) c) S 1 2", "a (b) c) S 1 2"),
        (b") Z 1 (", ") Z 1 ("),
        (b"(sd-pam)", "(sd-pam)"),
        (b"two\nlines", "two\nlines"),
        (b"", ""),
        (b"\xff\xfe", "��"),
        ("äöüßäöüß".encode(), "äöüßäöü�"),
    ],
)
def test_any_name_is_read_as_the_kernel_keeps_it(name: bytes, expected: str) -> None:
    with Child(set_name(name)) as child:
        process = seen(child.pid)
    assert (process.name, process.parent) == (expected, os.getpid())
    assert process.state in ("S", "R")


def test_the_age_counts_from_the_start() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    with Child() as child:
        started = seen(child.pid).started
        after = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before - 0.02 <= started <= after


SKEW = 0.8  # seconds: the kernel's clocks of two processors differ by half a second on some virtual machines


def test_threads_are_counted() -> None:
    with Child("[threading.Thread(target=time.sleep, args=(60,), daemon=True).start() for _ in range(5)]") as child:
        assert seen(child.pid).threads == 6


def test_a_zombie_is_dead_and_for_how_long() -> None:
    pid = zombie()
    time.sleep(2)
    process = seen(pid, "exe cmdline uid unit")
    os.waitpid(pid, 0)
    assert (process.state, process.is_alive(), process.exe, process.cmdline) == ("Z", False, "", "")
    assert pytest.approx(process.still_for, abs=SKEW) == 2.0


def test_a_zombie_whose_threads_live_is_alive() -> None:
    code = "threading.Thread(target=lambda: (time.sleep(0.1), print('ready', flush=True), time.sleep(60))).start()"
    with Child(f"{code}\nctypes.CDLL(None).pthread_exit(None)") as child:
        process = seen(child.pid)
    assert (process.state, process.is_alive()) == ("Z", True)


def test_a_stopped_process_and_for_how_long() -> None:
    with Child() as child:
        stop(child.pid)
        time.sleep(2)
        process = seen(child.pid)
    assert (process.state, process.is_alive()) == ("T", True)
    assert pytest.approx(process.still_for, abs=SKEW) == 2.0


def test_a_process_that_waits_for_its_vforked_child_is_uninterruptible_and_for_how_long() -> None:
    code = "threading.Timer(0.1, lambda: None)\nprint('ready', flush=True)\n"
    with Child(code + "ctypes.CDLL(None).syscall(58) or ctypes.CDLL(None).pause()") as child:  # vfork, x86-64
        time.sleep(2)
        process = seen(child.pid)
        for below in [p for p in collect().processes if p.parent == child.pid]:
            os.kill(below.pid, signal.SIGKILL)
    assert process.state == "D"
    assert pytest.approx(process.still_for, abs=SKEW) == 2.0


@pytest.mark.parametrize(("details", "state"), [("stuck", "D"), ("stuck open_files", "D"), ("", "S")])
def test_a_process_is_as_stuck_as_its_most_stuck_thread(details: str, state: str) -> None:
    """The threads are looked at where that is asked for only."""
    code = "wait = lambda: ctypes.CDLL(None).syscall(58) or ctypes.CDLL(None).pause()  # vfork, x86-64\n"
    with Child(code + "threading.Thread(target=wait, daemon=True).start()") as child:
        time.sleep(2)
        try:
            process = seen(child.pid, details=details)
        finally:
            for below in [p for p in collect().processes if p.parent == child.pid]:
                os.kill(below.pid, signal.SIGKILL)
    assert (process.state, process.is_alive()) == (state, True)
    assert process.still_for == (pytest.approx(2.0, abs=SKEW) if state == "D" else None)


@pytest.mark.parametrize(
    ("first", "threads", "expected"),
    [("S", "SD", "D"), ("R", "RS", "R"), ("S", "SX", "S"), ("T", "TD", "T"), ("Z", "ZD", "D"), ("S", "S?", "S")],
)
def test_of_the_states_of_threads_only_the_uninterruptible_counts(
    proc: pathlib.Path, first: str, threads: str, expected: str
) -> None:
    (proc / "1" / "stat").write_text(f"1 (in) it) {first} 0" + " 0" * 15 + " 2" + " 0" * 40)
    for number, letter in enumerate(threads, 1):
        (proc / f"1/task/{number}").mkdir(parents=True)
        if letter != "?":  # one that has ended just now
            (proc / f"1/task/{number}/stat").write_text(f"{number} (in) it) {letter} 0" + " 0" * 40)

    assert expected == seen(1, details="stuck").state


def test_a_running_process_is_not_still() -> None:
    with Child() as child:
        assert seen(child.pid).still_for is None


@root
def test_the_user_is_the_real_one_and_not_the_owner_of_its_files() -> None:
    with Child(user=NOBODY) as plain, Child("ctypes.CDLL(None).prctl(4, 0)", user=NOBODY) as undumpable:
        assert [seen(child.pid, "uid").uid for child in (plain, undumpable)] == [NOBODY, NOBODY]


def test_an_executable_that_was_deleted_keeps_its_name(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "agent"
    shutil.copy("/bin/sleep", program)
    pid = os.spawnv(os.P_NOWAIT, program, ["agent", "60"])
    time.sleep(0.1)
    program.unlink()
    process = seen(pid, "exe")
    kill(pid)
    assert (str(program), "agent") == (process.exe, process.name)


def test_a_kernel_thread_has_no_executable() -> None:
    thread = next((process for process in collect("exe cmdline").processes if process.parent == 2), None)
    if thread is None:
        pytest.skip("the kernel threads cannot be seen here")
    assert (thread.exe, thread.cmdline) == ("", "")


def test_command_lines_are_joined_with_blanks() -> None:
    pid = os.spawnvp(os.P_NOWAIT, "sleep", ["sleep", "60.5", "0"])
    time.sleep(0.1)
    process = seen(pid, "cmdline")
    kill(pid)
    assert process.cmdline == "sleep 60.5 0"


def test_the_end_of_a_long_command_line_is_read_too() -> None:
    """A Java daemon has its class path first and its main class last."""
    code = "import time; time.sleep(60)"
    pid = os.spawnv(os.P_NOWAIT, "/usr/bin/python3", ["python3", "-c", code, *["é" * 50_000] * 3, "org.example.Main"])
    time.sleep(0.2)
    process = seen(pid, "cmdline")
    kill(pid)

    assert f"python3 -c {code} {' '.join(['é' * 50_000] * 3)} org.example.Main" == process.cmdline


def test_a_command_line_without_an_end_is_read_up_to_a_bound(proc: pathlib.Path) -> None:
    with (proc / "1" / "cmdline").open("wb") as file:
        file.write(b"x" * (9 << 20))

    assert [process.cmdline for process in collect("cmdline").processes] == ["x" * (8 << 20)]


def test_what_is_not_asked_is_not_read() -> None:
    process = seen(os.getppid())
    assert [
        process.uid, process.exe, process.cmdline, process.unit, process.still_for, process.resident, process.cpu,
        process.open_files,
    ] == [None] * 8  # fmt: skip


def test_nodecheck_itself_and_its_helpers_are_not_seen() -> None:
    with Helper(lambda channel: channel.receive()) as helper, Child() as other:
        pids = {process.pid for process in collect().processes}
        helper.channel.send("end")
    assert pids & {os.getpid(), helper.pid, other.pid} == {other.pid}


def test_the_number_of_an_ended_helper_may_be_somebody_else() -> None:
    with Helper(lambda channel: channel.send("done")) as helper:
        helper.channel.receive(time.monotonic() + 5)
    assert not isolated.is_ours(helper.pid, parent=1)


def test_masked_command_lines_are_those_of_a_record() -> None:
    code = "import time; time.sleep(60)"
    pid = os.spawnv(os.P_NOWAIT, "/usr/bin/python3", ["python3", "-c", code, "--password", "a b", "60.5"])
    time.sleep(0.2)
    wants = [ProcessWant(frozenset({"cmdline"}), frozenset(), lambda _: False, masked) for masked in (False, True)]
    (process,) = (found for found in processes.collect(wants, time.monotonic() + 5).processes if found.pid == pid)
    kill(pid)
    assert process.cmdline == f"python3 -c {code} --password {MASK} 60.5"


# ---- what psutil says


def test_details_are_read_for_candidates_only() -> None:
    with Child("files = [open('/dev/null') for _ in range(20)]; memory = b'x' * 50_000_000") as child:
        table = collect(details="resident open_files", pid=child.pid)
        expected = len(os.listdir(f"/proc/{child.pid}/fd"))
    by_pid = {process.pid: process for process in table.processes}
    assert expected == by_pid[child.pid].open_files
    assert 50e6 < (by_pid[child.pid].resident or 0) < 100e6
    assert (by_pid[os.getppid()].resident, by_pid[os.getppid()].open_files) == (None, None)


def test_the_share_of_processor_time_is_that_of_now() -> None:
    with Child("print('ready', flush=True)\nwhile True: pass") as busy, Child() as idle:
        assert (seen(busy.pid, details="cpu").cpu or 0) > 20
        assert seen(idle.pid, details="cpu").cpu == 0


def test_sampling_processor_time_keeps_the_deadline() -> None:
    with Child() as child:
        started = time.monotonic()
        collect(details="cpu", pid=child.pid, seconds=0.1)
        assert time.monotonic() - started < 0.4


def test_a_zombie_among_the_candidates_is_no_error() -> None:
    pid = zombie()
    process = seen(pid, details="cpu resident open_files")
    os.waitpid(pid, 0)
    assert process.state == "Z"


def test_a_candidate_that_vanishes_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    pid = os.spawnvp(os.P_NOWAIT, "sleep", ["sleep", "60"])
    killed: list[int] = []

    def selects(process: Process) -> bool:
        if process.pid == pid and not killed:
            killed.append(pid)
            kill(pid)
        return process.pid == pid

    want = ProcessWant(frozenset(), frozenset({"resident"}), selects)
    table = processes.collect([want], time.monotonic() + 5)
    assert pid not in {process.pid for process in table.processes}


# ---- what cannot be seen


@root
def test_without_rights_the_fields_of_others_are_none_and_nothing_fails() -> None:
    with Child() as child:
        pid = child.pid
        process, complete = elsewhere(
            lambda: (tuple(seen(pid, "uid exe cmdline unit", "open_files resident cpu")), collect().complete),
            user=NOBODY,
        )
    observed = Process(*process)
    assert (observed.exe, observed.open_files, observed.uid, complete) == (None, None, 0, True)
    assert observed.cmdline is not None
    assert observed.resident is not None


@root
@pytest.mark.parametrize("hidepid", [b"hidepid=1", b"hidepid=2", b"hidepid=4"])
def test_a_proc_that_hides_the_others_is_told(hidepid: bytes) -> None:
    def prepare() -> None:
        own_mounts()
        call("mount", b"proc", b"/proc", b"proc", 0, hidepid)

    def look() -> tuple[bool, set[int | None]]:
        table = collect("uid exe")
        return table.complete, {process.uid for process in table.processes}

    assert (False, set()) == elsewhere(look, user=NOBODY, prepare=prepare)


@root
@pytest.mark.parametrize("hidepid", [b"hidepid=1", b"hidepid=2"])
def test_root_sees_through_hidepid(hidepid: bytes) -> None:
    def prepare() -> None:
        own_mounts()
        call("mount", b"proc", b"/proc", b"proc", 0, hidepid)

    def look() -> tuple[bool, bool]:
        table = collect()
        return table.complete, {1, os.getppid()} < {process.pid for process in table.processes}

    assert elsewhere(look, prepare=prepare) == (True, True)


# ---- a /proc of our own


@pytest.fixture
def proc(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(processes, "PROC", str(tmp_path))
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "stat").write_text("1 (init) S 0" + " 0" * 40)
    return tmp_path


def test_a_process_that_vanishes_between_two_reads_is_no_error(proc: pathlib.Path) -> None:
    (proc / "77").mkdir()
    (proc / "78").mkdir()
    (proc / "78" / "stat").write_text("78 (half) S 1" + " 0" * 40)
    assert sorted(process.pid for process in collect().processes) == [1, 78]
    assert [process.pid for process in collect("uid").processes] == []


@root
def test_command_lines_that_hang_cost_half_a_second_each_and_only_themselves(
    proc: pathlib.Path, dead_folder: pathlib.Path
) -> None:
    for pid in range(70, 80):
        (proc / str(pid)).mkdir()
        (proc / str(pid) / "stat").write_text(f"{pid} (any) S 1" + " 0" * 40)
        (proc / str(pid) / "cmdline").write_text(f"any\0{pid}\0")
    for pid in (73, 76):
        (proc / str(pid) / "cmdline").unlink()
        (proc / str(pid) / "cmdline").symlink_to(dead_folder / "cmdline")
    started = time.monotonic()
    cmdlines = {process.pid: process.cmdline for process in collect("cmdline").processes}
    assert 1.0 < time.monotonic() - started < 1.5
    expected = {pid: None if pid in (73, 76) else f"any {pid}" for pid in range(70, 80)}
    assert expected | {1: ""} == cmdlines


@root
def test_command_lines_that_hang_keep_the_deadline(proc: pathlib.Path, dead_folder: pathlib.Path) -> None:
    (proc / "1" / "cmdline").symlink_to(dead_folder / "cmdline")
    started = time.monotonic()
    assert collect("cmdline", seconds=0.2).processes[0].cmdline is None
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize("text", ["", "77 (cut", "77 (cut)", "77 (cut) S 1 2"])
def test_a_stat_that_makes_no_sense_is_left_out(proc: pathlib.Path, text: str) -> None:
    (proc / "77").mkdir()
    (proc / "77" / "stat").write_text(text)
    assert [process.pid for process in collect().processes] == [1]


def test_a_zombie_on_a_kernel_without_scheduler_statistics_is_still_for_an_unknown_time(proc: pathlib.Path) -> None:
    (proc / "1" / "stat").write_text("1 (init) Z 0" + " 0" * 40)
    assert collect().processes[0].still_for is None


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("0::/system.slice/docker.service\n", "docker.service"),
        ("0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service"),
        ("0::/init.scope\n", "init.scope"),
        ("0::/\n", ""),
        ("", ""),
        ("9:name=systemd:/system.slice/kubelet.service\n8:pids:/other.service\n0::/\n", "kubelet.service"),
        ("1:name=systemd:/\n0::/system.slice/ssh.service\n", "ssh.service"),
        ("8:pids:/system.slice/wrong.service\n", ""),
        ("4:cpu,cpuacct:/system.slice/wrong.service\n1:name=systemd:/system.slice/right.service\n", "right.service"),
        ("0::/system.slice/docker.service/docker/0123abcd\n", "docker.service"),
        ("0::/system.slice/containerd.service/kubepods-besteffort.slice:cri-containerd:ab\n", "containerd.service"),
        ("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-ab.scope\n",
         "cri-containerd-ab.scope"),
        ("0::/system.slice/docker-0123abcd.scope\n", "docker-0123abcd.scope"),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/gpg-agent.service\n", "user@1000.service"),
        ("0::/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator\n", "machine-qemu\\x2d1\\x2dvm.scope"),
        ("0::/system.slice/with:colon.service\n", "with:colon.service"),
        ("0::/system.slice/data.mount\n", "data.mount"),
        ("0::/../../system.slice/outside.service\n", "outside.service"),
    ],
)  # fmt: skip
def test_the_unit_of_a_control_group(text: str, unit: str) -> None:
    assert unit == unit_of_cgroup(text)


def test_a_proc_that_cannot_be_listed_is_dark(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(processes, "PROC", str(tmp_path / "none"))
    with pytest.raises(Exception, match="cannot be listed: No such file or directory") as caught:
        collect()
    assert (type(caught.value).__name__, getattr(caught.value, "source", "")) == ("Unobserved", "processes")
