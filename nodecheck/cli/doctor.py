"""nodecheck doctor: what is installed, what this user may see, which bus answers."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from nodecheck import __version__
from nodecheck.node import sockets, systemd
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

BUS_SECONDS = 5
# Distribution: (package of Debian and Ubuntu, what for)
NEEDED = {
    "pydbus": ("python3-pydbus", "unit, system"),
    "PyGObject": ("python3-gi", "unit, system"),
    "psutil": ("python3-psutil", "process"),
    "PyYAML": ("python3-yaml", "all definitions"),
    "structlog": ("python3-structlog", "events"),
    "Jinja2": ("python3-jinja2", "definitions with expressions"),
}
# By the names of os-release(5): what installs packages, and which have another name than Debian's.
INSTALLERS = {
    "debian": ("apt-get install", {}),
    "fedora": ("dnf install", {"python3-gi": "python3-gobject-base", "python3-yaml": "python3-pyyaml"}),
    "suse": ("zypper install", {"python3-gi": "python3-gobject", "python3-yaml": "python3-PyYAML"}),
}
# linux/capability.h
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE = 1 << 1, 1 << 2, 1 << 19


def command(_arguments: Namespace) -> int:
    """Print what nodecheck can do here; end with 3 when it cannot do its work."""
    print(f"nodecheck {__version__}, Python {sys.version.split()[0]} at {sys.executable}")
    sections = {"INSTALLED": list(_installed()), "THIS USER": list(_permissions()), "THIS HOST": list(_host())}
    for title, lines in sections.items():
        print(f"\n{title}")
        for good, line in lines:
            print(f"  {'ok' if good else '!!'}  {line}")
    missing = sum(not good for lines in sections.values() for good, _ in lines)
    print(f"\n{'all is well' if not missing else f'{missing} of these limit what nodecheck can see'}")
    lacking = [name for name in NEEDED if not _version(name)]
    if lacking:
        print(f"what is missing is installed by: {remedy(lacking)}")
    return 0 if not missing else 3


def _installed() -> Iterator[tuple[bool, str]]:
    for name, (_, used_by) in NEEDED.items():
        version = _version(name)
        yield bool(version), f"{name} {version}" if version else f"{name} is missing (needed for {used_by})"


def _version(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def remedy(names: list[str]) -> str:
    """Return the one command to type; it is the distribution's, for PyPI has PyGObject as source only."""
    installer, other_names = _installer()
    if not installer:
        return f"the packages of this distribution: {', '.join(names)}"
    packages = [other_names.get(NEEDED[name][0], NEEDED[name][0]) for name in names]
    sudo = "" if os.geteuid() == 0 else "sudo "
    return " && ".join([f"{sudo}{installer} {' '.join(packages)}", *_let_in()])


def _installer() -> tuple[str, dict[str, str]]:
    import platform

    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "", {}
    known = [release["ID"], *release.get("ID_LIKE", "").split()]
    return next((INSTALLERS[name] for name in known if name in INSTALLERS), ("", {}))


def _let_in() -> Iterator[str]:
    """Yield what makes an environment see what is installed on its host, if it does not."""
    import site

    if sys.base_prefix in site.PREFIXES and sys.base_prefix == "/usr":
        return
    if f"{os.sep}pipx{os.sep}" in sys.prefix:
        yield "pipx install --force --python /usr/bin/python3 --system-site-packages nodecheck"
    elif sys.base_prefix != sys.prefix:
        yield f"/usr/bin/python3 -m venv --upgrade --without-pip --system-site-packages {sys.prefix}"


def _permissions() -> Iterator[tuple[bool, str]]:
    effective = _effective_capabilities()
    yield True, f"uid {os.geteuid()}"
    reads = bool(effective & (CAP_DAC_OVERRIDE | CAP_DAC_READ_SEARCH))
    traces = bool(effective & CAP_SYS_PTRACE)
    yield reads, f"CAP_DAC_READ_SEARCH: {'files of others can be read' if reads else 'files of others cannot be read'}"
    what = "executables, open files and sockets of other users' processes"
    yield traces, f"CAP_SYS_PTRACE: {what} can{'' if traces else 'not'} be seen"
    hidden = not os.path.exists("/proc/1/stat")
    yield not hidden, f"processes of other users are {'hidden (hidepid)' if hidden else 'listed'}"


def _effective_capabilities() -> int:
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        return int(status.read().partition("CapEff:")[2].split()[0], 16)


def _host() -> Iterator[tuple[bool, str]]:
    yield _systemd()
    for protocol in sockets.PROTOCOLS:
        exact = sockets.answers_without_loading(f"{protocol}_diag")
        detail = (
            "sock_diag" if exact else f"/proc/net only, since {protocol}_diag is not loaded: IPv6 sockets stay vague"
        )
        yield exact, f"{protocol} sockets: read from {detail}"


def _systemd() -> tuple[bool, str]:
    if not systemd.booted_with_systemd():
        return False, "systemd is not running here: unit and system checks will be unknown"
    started = time.monotonic()
    collector = systemd.Collector()
    collector.ask({"system": {"manager": True, "units": {}}}, started + BUS_SECONDS)
    answer = collector.answers()["system"]
    collector.leave()
    if isinstance(answer, Unobserved):
        return False, f"{answer.reason}. {answer.remedy}"
    took = time.monotonic() - started
    version, bus = answer["manager"]["Version"], answer["manager"].get("bus")
    if bus:
        return False, f"{bus['reason']}; systemd {version} answers by its private socket. {bus['remedy']}"
    return True, f"systemd {version} answers on the system bus in {took * 1000:.0f} ms"
