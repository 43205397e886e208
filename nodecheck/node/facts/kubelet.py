"""How the kubelet of this node is configured: its flags win over its file, and that over its defaults.

https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/; the flags are those of kubelet.service
and in the environment files that kubeadm's drop-in of it reads.
"""

from __future__ import annotations

import glob
import os
import re
from typing import Any, NamedTuple

from nodecheck.node.facts import Unreadable
from nodecheck.node.facts._files import (
    as_path,
    flags_of,
    mapping_of,
    merged,
    text_if_there,
    value_at,
)
from nodecheck.node.facts._service import command_line_of
from nodecheck.node.facts._units import enabled_units

GROUP = "kubelet"
LAST_PORT = 65535
DEFAULT_ENDPOINT = "unix:///run/containerd/containerd.sock"
DOCKER_SOCKETS = ("/run/docker.sock", "/run/dockershim.sock")
EVERYWHERE = "0.0.0.0"  # what the kubelet binds by default; we bind nothing
CONFIG = "/var/lib/kubelet/config.yaml"
CLIENT_CA = ("authentication", "x509", "clientCAFile")
PKI = "/etc/kubernetes/pki"
CERTIFICATES = ("client-certificate", "client-certificate-data")
OTHER_LOGINS = ("exec", "token", "tokenFile", "auth-provider", "username")
ENVIRONMENT_FILES = ("/var/lib/kubelet/kubeadm-flags.env", "/etc/default/kubelet", "/etc/sysconfig/kubelet")


class Setting(NamedTuple):
    """What a part is, its name in the file, its flag, and what it is where neither says."""

    help: str
    key: str
    flag: str
    default: Any


SETTINGS = {
    "port": Setting("port of its API", "port", "port", 10250),
    "address": Setting("address that its API is bound to", "address", "address", EVERYWHERE),
    "healthz_port": Setting("port that says that the process lives; 0: none", "healthzPort", "healthz-port", 10248),
    "healthz_address": Setting("address of that port", "healthzBindAddress", "healthz-bind-address", "127.0.0.1"),
    "read_only_port": Setting("port without authentication; 0: none", "readOnlyPort", "read-only-port", 0),
    "cgroup_driver": Setting("systemd or cgroupfs", "cgroupDriver", "cgroup-driver", "cgroupfs"),
    "fail_swap_on": Setting("whether it refuses to start with swap on", "failSwapOn", "fail-swap-on", True),
    "static_pod_path": Setting("directory of the manifests of static pods", "staticPodPath", "pod-manifest-path", ""),
    "container_runtime_endpoint": Setting(
        "socket of the container runtime; empty: docker", "containerRuntimeEndpoint", "container-runtime-endpoint", ""
    ),
    "cluster_dns": Setting("addresses of the DNS of the cluster", "clusterDNS", "cluster-dns", []),
    "cluster_domain": Setting("domain of the cluster", "clusterDomain", "cluster-domain", ""),
    "resolv_conf": Setting("resolv.conf that pods inherit", "resolvConf", "resolv-conf", "/etc/resolv.conf"),
    "rotate_certificates": Setting(
        "whether it renews its client certificate", "rotateCertificates", "rotate-certificates", False
    ),
    "protect_kernel_defaults": Setting(
        "whether it refuses to start where the kernel is not set as it wants",
        "protectKernelDefaults",
        "protect-kernel-defaults",
        False,
    ),
    "root": Setting("directory of its pods and their volumes", "", "root-dir", "/var/lib/kubelet"),
    "certificates": Setting("directory of its certificates", "", "cert-dir", "/var/lib/kubelet/pki"),
    "kubeconfig": Setting("how it reaches the API server", "", "kubeconfig", "/etc/kubernetes/kubelet.conf"),
    "max_pods": Setting("most pods on this node", "maxPods", "max-pods", 110),
}
# What the kubelet keeps free by default, and evicts pods for: pkg/kubelet/eviction/defaults_linux.go.
EVICTION = {"memory.available": "100Mi", "nodefs.available": "10%", "imagefs.available": "15%"}
UNITS = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12} | {
    f"{unit}i": 1 << 10 * power for power, unit in enumerate("KMGT", 1)
}
PARTS = (
    {name: setting.help for name, setting in SETTINGS.items()}
    | {
        "runtime": "docker, containerd, crio, or other, by its endpoint",
        "client_ca": "file of the certificate authority of the cluster, by which it lets clients in",
        "pki": "folder of that: kubeadm has its certificates there",
        "client_certificate": "whether it logs in with a certificate, and not by a token or a program",
    }
    | {
        f"{name}_free_{unit}": f"{what} to be left, in {unit}, else it evicts pods"
        for name, what in {
            "memory": "memory",
            "nodefs": "space in its directory",
            "imagefs": "space for images",
        }.items()
        for unit in ("bytes", "percent")
    }
)


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return how it is configured, and in which file. Raises OSError, Unreadable."""
    return as_told(root, flags_of_service(root))


def as_told(root: str, flags: dict[str, str]) -> tuple[dict[str, Any], str]:
    """Return the same for these flags. Raises OSError, Unreadable."""
    path = flags.get("config", CONFIG)
    data = mapping_of(root + path) if text_if_there(root + path) else {}
    for piece in _drop_ins(root, flags.get("config-dir", "")):
        data = merged(data, mapping_of(piece))
    parts = {name: _part(setting, flags, data, root + path) for name, setting in SETTINGS.items()}
    if not parts["container_runtime_endpoint"] and _is_without_docker(root):
        parts["container_runtime_endpoint"] = DEFAULT_ENDPOINT
    parts["runtime"] = _runtime(parts["container_runtime_endpoint"])
    parts["client_ca"] = flags.get("client-ca-file") or str(value_at(data, *CLIENT_CA) or f"{PKI}/ca.crt")
    parts["pki"] = os.path.dirname(parts["client_ca"])
    parts["client_certificate"] = _has_certificate(root + parts["kubeconfig"])
    return parts | _eviction(flags, data, root + path), path


def flags_of_service(root: str) -> dict[str, str]:
    """Return the flags that kubelet.service gives it. Raises OSError."""
    return flags_of(command_line_of(root, "kubelet.service", ENVIRONMENT_FILES))


def _drop_ins(root: str, folder: str) -> list[str]:
    """Return the files of --config-dir, in the order in which they count: pkg/kubelet/kubeletconfig, *.conf alone."""
    return sorted(glob.glob(f"{root}{folder}/**/*.conf", recursive=True)) if folder else []


def _is_without_docker(root: str) -> bool:
    """Tell whether only containerd is here: the kubelet of 1.27 and later takes it where it is told nothing."""
    docker = bool(enabled_units(root, r"docker\.(service|socket)"))
    docker = docker or any(os.path.exists(root + path) for path in DOCKER_SOCKETS)
    return not docker and (
        os.path.exists(root + as_path(DEFAULT_ENDPOINT)) or bool(enabled_units(root, r"containerd\.service"))
    )


def _runtime(endpoint: str) -> str:
    """Before 1.24 the kubelet spoke to Docker itself; since then kubeadm always writes an endpoint down."""
    if not endpoint or "docker" in endpoint:
        return "docker"
    return next((name for name in ("containerd", "crio") if name in endpoint), "other")


def _has_certificate(kubeconfig: str) -> bool:
    """Tell whether the kubelet logs in with a certificate, which it does unless a kubeconfig surely says otherwise.

    Who may read that is root alone: for others, too, and where it is damaged, the check of the certificate says so.
    https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#AuthInfo
    """
    try:
        users = mapping_of(kubeconfig).get("users")
    except (OSError, Unreadable):
        return True
    entries = [entry.get("user") for entry in users if isinstance(entry, dict)] if isinstance(users, list) else []
    given = {key for user in entries if isinstance(user, dict) for key, value in user.items() if value}
    return not given.isdisjoint(CERTIFICATES) or given.isdisjoint(OTHER_LOGINS)


def _eviction(flags: dict[str, str], data: dict[str, Any], path: str) -> dict[str, float]:
    """Return what has to be left, 0 where nothing has to.

    What is configured stands in place of all defaults, unless the file says that it is merged with them (since 1.35).
    """
    given = data.get("evictionHard")
    if flags.get("eviction-hard"):
        given = dict(part.split("<", 1) for part in flags["eviction-hard"].split(",") if "<" in part)
    wanted = EVICTION if given is None else given
    if not isinstance(wanted, dict):
        raise Unreadable(path, f"evictionHard is {wanted!r}")
    wanted = EVICTION | wanted if data.get("mergeDefaultEvictionSettings") is True else wanted
    parts: dict[str, float] = {}
    for signal in EVICTION:
        name, (number, is_percent) = signal.partition(".")[0], _threshold(str(wanted.get(signal, 0)), path)
        parts |= {
            f"{name}_free_bytes": 0 if is_percent else number,
            f"{name}_free_percent": number if is_percent else 0,
        }
    return parts


def _threshold(text: str, path: str) -> tuple[float, bool]:
    """Read 10% or 1Gi; tell whether it is a percentage."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(%|[kMGT]|[KMGT]i)?", text.strip())
    if not found:
        raise Unreadable(path, f"evictionHard holds {text!r}")
    number = float(found[1]) * UNITS.get(found[2] or "", 1)
    return int(number) if number.is_integer() else number, found[2] == "%"


def _part(setting: Setting, flags: dict[str, str], data: dict[str, Any], path: str) -> Any:
    if setting.flag in flags:
        return _read(flags[setting.flag], setting.default)
    found = data.get(setting.key)
    if found is None or found == "":
        return setting.default
    is_wrong = not isinstance(found, type(setting.default))
    if is_wrong or (setting.flag.endswith("port") and not 0 <= found <= LAST_PORT):
        raise Unreadable(path, f"{setting.key} is {found!r}")
    return found


def _read(text: str, default: Any) -> Any:
    if isinstance(default, bool):
        return text == "true"
    if isinstance(default, int):
        return int(text) if text.isdecimal() else default
    return text.split(",") if isinstance(default, list) else text
