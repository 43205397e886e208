"""The roots that nodes boot from: Debian, made by debootstrap, kept in a cache outside the checkout."""

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator

RECIPE = "1"  # raise it when make_root() does something else with the same packages
HOST_TOOLS = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container", "ip": "iproute2"}
PACKAGES = (
    "systemd systemd-sysv dbus procps iproute2 kmod ca-certificates "
    "python3 python3-gi python3-pydbus python3-psutil python3-yaml python3-structlog python3-jinja2 "
    "docker.io containerd runc hyperfine"
).split()
SUITE_PACKAGES = {
    "bookworm": [],
    "trixie": ["docker-cli", "goss"],
    "collectors": (
        "systemd-journal-remote rsyslog rsyslog-gnutls prometheus prometheus-alertmanager prometheus-node-exporter"
    ).split(),
}
RELEASES = {"collectors": "bookworm"}  # a root beside that of its release, so that no other node has to have more
DISABLED = ("docker.service", "docker.socket")  # a test that wants docker starts it


class RootError(Exception):
    """A root could not be made; the message says why."""


def cache_directory() -> pathlib.Path:
    """The directory that keeps roots, packages and running nodes."""
    return pathlib.Path(os.environ.get("NODECHECK_CACHE") or "/var/cache/nodecheck")


def packages(suite: str) -> list[str]:
    """What is installed in the root of this suite."""
    return [*PACKAGES, *SUITE_PACKAGES[suite]]


def root_path(suite: str) -> pathlib.Path:
    """Where the root of this suite is; its name changes with the recipe, so that a changed recipe makes a new one."""
    recipe = " ".join([RECIPE, suite, *sorted(packages(suite)), *DISABLED])
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    return cache_directory() / "roots" / f"{suite}-{digest}"


@contextlib.contextmanager
def locked(path: pathlib.Path, *, shared: bool = False, wait: bool = True) -> Iterator[bool]:
    """Hold a lock on an existing file or directory; yields whether it was had (always, when it may wait)."""
    descriptor = os.open(path, os.O_RDONLY)
    mode = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    try:
        try:
            fcntl.flock(descriptor, mode)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def ensure_root(suite: str) -> pathlib.Path:
    """The root of this suite, made first if it is not there yet."""
    root = root_path(suite)
    roots = root.parent
    roots.mkdir(parents=True, exist_ok=True)
    lock = roots / f"{suite}.lock"
    lock.touch()
    with locked(lock):
        ensure_host_tools()
        if not root.exists():
            make_root(suite, root)
            remove_old_roots(suite, root)
    return root


def make_root(suite: str, root: pathlib.Path) -> None:
    """Make the root in a directory beside it, and give it its name when it is complete."""
    for abandoned in root.parent.glob(f".{suite}-*"):  # we hold the lock: whoever made it is gone
        shutil.rmtree(abandoned, ignore_errors=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix=f".{suite}-", dir=root.parent))
    try:
        directory.chmod(0o755)
        debootstrap(suite, directory)
        must(["chroot", str(directory), "systemctl", "disable", *DISABLED])
        (directory / "etc/resolv.conf").unlink(missing_ok=True)
        directory.rename(root)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def debootstrap(suite: str, directory: pathlib.Path) -> None:
    """Install the packages of this suite into the directory."""
    kept = cache_directory() / "packages" / RELEASES.get(suite, suite)
    kept.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(packages(suite))}", f"--cache-dir={kept}"]
    mirror = host_mirror()
    try:
        must([*command, RELEASES.get(suite, suite), str(directory), *([mirror] if mirror else [])])
    except RootError as error:
        log = directory / "debootstrap/debootstrap.log"
        said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        raise RootError(f"{error}\n{said}") from None


def remove_old_roots(suite: str, current: pathlib.Path) -> None:
    """Remove the roots of former recipes that no node runs from."""
    for old in current.parent.glob(f"{suite}-*"):
        if old != current:
            with locked(old, wait=False) as unused:
                if unused:
                    shutil.rmtree(old)


def missing_host_tools() -> list[str]:
    """Packages that this host lacks to make and boot nodes."""
    return [package for tool, package in HOST_TOOLS.items() if not shutil.which(tool)]


def ensure_host_tools() -> None:
    """Install what this host lacks to make and boot nodes."""
    missing = missing_host_tools()
    if not missing:
        return
    install = ["apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=120", "install", "--no-install-recommends"]
    if "debootstrap" in missing:
        missing.append("debian-archive-keyring")
    try:
        must([*install, *missing])
    except RootError:
        must(["apt-get", "-q", "update"])
        must([*install, *missing])


def must(command: list[str]) -> None:
    """Run a command on this host; when it fails, the error shows the end of what it said."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-2000:]
        raise RootError(f"{' '.join(command)} ended with {done.returncode}:\n{said}")


@dataclasses.dataclass(frozen=True)
class Source:
    """A line of sources.list, or a stanza of a .sources file."""

    uris: list[str]
    suites: list[str]
    components: list[str]


def host_mirror() -> str | None:
    """The Debian mirror that this host's apt is configured with; None leaves the choice to debootstrap."""
    release = os_release()
    if release.get("ID") != "debian":
        return None
    suites = {release.get("VERSION_CODENAME"), "stable", "testing", "unstable", "sid"}
    for source in host_sources():
        if suites.intersection(source.suites) and "main" in source.components:
            for uri in source.uris:
                if uri.startswith(("http://", "https://", "file:")):
                    return uri
    return None


def os_release() -> dict[str, str]:
    """What /etc/os-release says about this host."""
    lines = pathlib.Path("/etc/os-release").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: value.strip("\"'") for name, _, value in pairs}


def host_sources() -> Iterator[Source]:
    """The package sources of this host, the distribution's own first."""
    directory = pathlib.Path("/etc/apt")
    own = [directory / "sources.list.d/debian.sources", directory / "sources.list"]
    others = sorted(directory.glob("sources.list.d/*"))
    for path in dict.fromkeys([*own, *others]):
        if path.is_file() and path.suffix == ".sources":
            yield from stanza_sources(path.read_text())
        elif path.is_file() and path.suffix == ".list":
            yield from line_sources(path.read_text())


def stanza_sources(text: str) -> Iterator[Source]:
    """The sources of a file in the deb822 format."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in lines.split("\n\n"):
        fields = {name.strip().lower(): value.split() for name, _, value in map(_halves, stanza.splitlines())}
        if "deb" in fields.get("types", []) and fields.get("enabled") != ["no"]:
            yield Source(fields.get("uris", []), fields.get("suites", []), fields.get("components", []))


def _halves(line: str) -> tuple[str, str, str]:
    """A field of a stanza in its name, the colon and its value."""
    return line.partition(":")


def line_sources(text: str) -> Iterator[Source]:
    """The sources of a file with one source a line."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words[:1] != ["deb"]:
            continue
        if len(words) > 1 and words[1].startswith("["):
            end = next(index for index, word in enumerate(words) if word.endswith("]"))
            words = [words[0], *words[end + 1 :]]
        if len(words) > 2:
            yield Source([words[1]], [words[2]], words[3:])


if __name__ == "__main__":
    for name in sys.argv[1:] or SUITE_PACKAGES:
        print(ensure_root(name))
