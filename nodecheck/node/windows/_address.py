"""URLs and addresses as definitions write them. Without regular expressions: each would cost a run its compiling."""

from __future__ import annotations

from typing import NamedTuple

PORTS = {"http": 80, "https": 443}
MOST_PORTS = 65535


class Url(NamedTuple):
    """Where a server is, and what it is asked for; `socket` is a path for one in the file system, "" for none."""

    scheme: str
    host: str
    port: int
    target: str
    socket: str = ""


def parse_url(url: str) -> Url | None:
    """Return the parts of an URL; None for what is none that can be asked: of another scheme, or with a password."""
    scheme, _, rest = url.partition("://")
    if not url.isascii() or not url.isprintable() or set(url) & set(" #"):
        return None
    if scheme == "unix":
        return _parse_socket(rest)
    ends = [at for at in (rest.find("/"), rest.find("?")) if at >= 0]
    authority, target = rest[: min(ends)] if ends else rest, rest[min(ends) :] if ends else ""
    if scheme not in PORTS:
        return None
    has_port = ":" in authority.rpartition("]")[2]
    address = split_address(authority if has_port else f"{authority}:{PORTS[scheme]}")
    return Url(scheme, *address, target if target.startswith("/") else f"/{target}") if address else None


def _parse_socket(rest: str) -> Url | None:
    """The path of the socket ends with .sock, or with a colon."""
    at = rest.find(".sock")
    while at >= 0 and rest[at + 5 : at + 6] not in ("", "/", ":"):
        at = rest.find(".sock", at + 1)
    path = rest[: at + 5] if at >= 0 else rest.partition(":")[0]
    target = rest[len(path) :].removeprefix(":") or "/"
    if not path.startswith("/") or not target.startswith("/") or set(path) & set(":?") or (at < 0 and ":" not in rest):
        return None
    return Url("unix", "localhost", 0, target, path)


def split_address(address: str) -> tuple[str, int] | None:
    """Return (host, port) of host:port or [address]:port; None for anything else."""
    host, _, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    if (
        not bare
        or not address.isprintable()
        or not port.isascii()
        or not port.isdecimal()
        or not 1 <= int(port[:6]) <= MOST_PORTS
    ):
        return None
    return None if set(bare) & set("/[]@ " if bracketed else ":/[]@ ") else (bare, int(port))


def is_host_name(text: str) -> bool:
    """Tell whether this is the name of a host, or an IPv4 address: labels of 63 characters at most, between dots."""
    labels = text.split(".")
    return text.isascii() and all(
        len(label) <= 63 and label.replace("-", "").replace("_", "").isalnum() for label in labels
    )


def without_secrets(url: str) -> str:
    """Return an URL as it may be told: a user and password in it, and secrets in its query, are masked."""
    if "@" not in url and "?" not in url:
        return url
    import re

    from nodecheck.node.windows._masked import mask

    return mask(re.sub(r"//[^/@]*@", "//", url))
