"""Texts of systemd units that behave, and misbehave, in one way each.

    node.unit("flapping.service", units.crash_looping())
    node.start_unit("flapping.service")

Units made of Python code say that they are ready once they are, so that `systemctl start` waits for them.
"""

from collections.abc import Mapping

Value = str | int | list[str]
Sections = Mapping[str, Mapping[str, Value]]

READY = (
    "import os, socket, signal, time\n"
    "def ready():\n"
    "    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:\n"
    "        notify.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])\n"
    "def name(text):\n"
    "    with open('/proc/self/comm', 'w') as comm:\n"
    "        comm.write(text)\n"
)
FOR_EVER = "while True:\n    signal.pause()\n"


def unit_text(sections: Sections) -> str:
    """The text of a unit file; a list stands for a directive given several times."""
    lines = []
    for section, directives in sections.items():
        lines.append(f"[{section}]")
        for directive, value in directives.items():
            values = value if isinstance(value, list) else [value]
            lines += [f"{directive}={one}" for one in values]
    return "\n".join(lines) + "\n"


def service(description: str, unit: Mapping[str, Value] | None = None, **directives: Value) -> str:
    """A service with these directives; `unit` holds those of its [Unit] section."""
    sections: Sections = {
        "Unit": {"Description": description, **(unit or {})},
        "Service": directives,
        "Install": {"WantedBy": "multi-user.target"},
    }
    return unit_text(sections)


def python_command(code: str) -> str:
    """An ExecStart that runs this Python code."""
    escaped = code.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'/usr/bin/python3 -c "{escaped.replace("%", "%%").replace("$", "$$")}"'


def python_service(description: str, code: str) -> str:
    """A service that runs this Python code, which calls ready() when it is up, and then waits for ever."""
    return service(description, Type="notify", ExecStart=python_command(READY + code + FOR_EVER))


def running(command: str = "/usr/bin/sleep infinity") -> str:
    """A daemon that runs, with one process."""
    return service("A daemon that runs", Type="exec", ExecStart=command)


def named(comm: str) -> str:
    """A daemon that runs, whose process has this name (the kernel keeps 15 characters of it)."""
    return python_service("A daemon with a name", f"name({comm!r})\nready()\n")


def crash_looping(exit_code: int = 255, restart_seconds: int = 1) -> str:
    """A daemon that ends at once and is restarted for ever."""
    return service(
        "A daemon that restarts for ever",
        unit={"StartLimitIntervalSec": 0},
        ExecStart=f"/bin/sh -c 'exit {exit_code}'",
        Restart="always",
        RestartSec=restart_seconds,
    )


def failing(exit_code: int = 1) -> str:
    """A daemon that ends at once with an error, and stays down."""
    return service("A daemon that fails", Type="exec", ExecStart=f"/bin/sh -c 'exit {exit_code}'")


def stuck_activating() -> str:
    """A daemon that never says that it is ready: it stays activating."""
    return service(
        "A daemon that never gets ready",
        Type="notify",
        TimeoutStartSec="infinity",
        ExecStart="/usr/bin/sleep infinity",
    )


def killed_by(signal_name: str = "KILL") -> str:
    """A daemon whose main process dies by this signal."""
    return service("A daemon that is killed", Type="exec", ExecStart=f"/bin/sh -c 'kill -{signal_name} $$$$'")


def finished_oneshot() -> str:
    """A oneshot: once it has run it is inactive (dead), and well."""
    return service("A oneshot", Type="oneshot", ExecStart="/bin/true")


def remaining_oneshot() -> str:
    """A oneshot that remains after exit: once it has run it is active (exited)."""
    return service("A oneshot that remains", Type="oneshot", RemainAfterExit="yes", ExecStart="/bin/true")


def masked() -> str:
    """A masked unit: Node.unit() makes a link to /dev/null of a text that is empty."""
    return ""


def condition_not_met() -> str:
    """A daemon that systemd does not start, since a condition does not hold; that is no failure."""
    condition = {"ConditionPathExists": "/nonexistent"}
    return service("A daemon that is not for this node", unit=condition, ExecStart="/usr/bin/sleep infinity")


def timer(calendar: str = "*-*-* 00:00:00", unit: str | None = None) -> str:
    """A timer; its service is the one of the same name, finished_oneshot() for example, or the unit."""
    directives = {"OnCalendar": calendar, **({"Unit": unit} if unit else {})}
    return unit_text(
        {"Unit": {"Description": "A timer"}, "Timer": directives, "Install": {"WantedBy": "timers.target"}}
    )


def socket_unit(listen: str, accept: bool = False) -> str:
    """A socket that PID 1 holds for the service of the same name, idle until somebody connects."""
    directives = {"ListenStream": listen, "Accept": "yes" if accept else "no"}
    return unit_text(
        {"Unit": {"Description": "A socket"}, "Socket": directives, "Install": {"WantedBy": "sockets.target"}}
    )


def with_zombie(comm: str = "deadworker") -> str:
    """A daemon with a child of this name that has ended and that it never reaps."""
    child = f"name({comm!r}); os._exit(0)"
    code = (
        f"pid = os.fork()\nif pid == 0:\n    {child}\n"
        "os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)\n"  # wait for its end, and leave it
        "ready()\n"
    )
    return python_service("A daemon with a zombie", code)


def listener(
    port: int,
    address: str = "0.0.0.0",
    *,
    protocol: str = "tcp",
    v6_only: bool | None = None,
    comm: str = "listener",
    backlog: int = 128,
    full: bool = False,
) -> str:
    """A daemon that listens here, and never accepts: the kernel does, up to the backlog.

    The address says which family. With v6_only=None an IPv6 socket is as the node's net.ipv6.bindv6only wants it.
    With full=True the daemon has connected to itself until its queue of connections to accept was full, so that
    nobody else can connect.
    """
    family = "AF_INET6" if ":" in address else "AF_INET"
    kind = {"tcp": "SOCK_STREAM", "udp": "SOCK_DGRAM"}[protocol]
    code = [f"name({comm!r})", f"server = socket.socket(socket.{family}, socket.{kind})"]
    if protocol == "tcp":
        code.append("server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)")
    if v6_only is not None:
        code.append(f"server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, {int(v6_only)})")
    code.append(f"server.bind(({address!r}, {port}))")
    if protocol == "tcp":
        code.append(f"server.listen({backlog})")
    if full:
        code += [
            f"clients = [socket.socket(socket.{family}, socket.{kind}) for _ in range({backlog} + 2)]",
            "[client.setblocking(False) for client in clients]",
            "[client.connect_ex(server.getsockname()) for client in clients]",
            "time.sleep(0.2)",
        ]
    return python_service("A daemon that listens", "\n".join([*code, "ready()", ""]))


def full_listener(port: int, address: str = "127.0.0.1") -> str:
    """A daemon that listens with a backlog of 1, never accepts, and whose queue is full: connecting to it hangs."""
    return listener(port, address, backlog=1, full=True)
