"""Which container runtime the kubelet uses: what the one that runs was told, or is told when it starts."""

from __future__ import annotations

import os
import re

from nodecheck.node.facts import Unreadable, kubelet
from nodecheck.node.facts._files import as_path, flags_of

FLAG = re.compile(r"--container-runtime-endpoint[= \0]\"?([^\s\0\"']+)")
SETTING = re.compile(r"^containerRuntimeEndpoint:\s*[\"']?([^\s\"'#]+)", re.MULTILINE)
FLAG_FILE = "/var/lib/kubelet/kubeadm-flags.env"
SETTING_FILES = ("/var/lib/kubelet/instance-config.yaml", "/var/lib/kubelet/config.yaml")
CRI_SOCKETS = (
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
    "/run/k3s/containerd/containerd.sock",
)


def endpoint() -> str:
    """Return the path of the CRI socket that the kubelet uses; "" where it is told none, as in the days of Docker."""
    running = _command_line()
    told = FLAG.search(running)
    return told[1].removeprefix("unix://") if told else _in_files(running) or _in_usual_files()


def _in_files(running: str) -> str:
    """Return what stands in the files that the command line names, or that of kubelet.service where none runs."""
    try:
        flags = flags_of(running.split("\0")[1:]) if running else kubelet.flags_of_service("")
        return as_path(str(kubelet.as_told("", flags)[0]["container_runtime_endpoint"])) if flags else ""
    except (OSError, Unreadable):
        return ""


def _in_usual_files() -> str:
    """Return what can be found in the files of kubeadm, also where they cannot be read as a whole."""
    found = FLAG.search(_text(FLAG_FILE))
    settings = (SETTING.search(_text(path)) for path in SETTING_FILES)
    chosen = found or next((setting for setting in settings if setting), None)
    return chosen[1].removeprefix("unix://") if chosen else ""


def usual_socket() -> str:
    """Return the first of the usual CRI sockets that is there; "" where there is none."""
    return next((path for path in CRI_SOCKETS if os.path.exists(path)), "")


def _command_line() -> str:
    for name in os.listdir("/proc"):
        if name.isdecimal() and _text(f"/proc/{name}/comm") == "kubelet\n":
            return _text(f"/proc/{name}/cmdline")
    return ""


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""
