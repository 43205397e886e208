"""What of OpenStack is on this node, as packages, in containers of kolla, or in pods.

Ports are those that upstream gives each service; where a service is told another address or port, that one counts.
"""

from __future__ import annotations

import glob
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node.facts._files import text_if_there
from nodecheck.node.facts._ini import options_of
from nodecheck.node.facts._pods import Pod, pods_named, with_address
from nodecheck.node.facts._units import LOCAL, enabled_units

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "openstack"
PARTS = {
    "services": "units of its services; those that are masked, since a web server runs them, are none of these",
    "compute_units": "units of nova-compute",
    "network_units": "units of the agents of neutron",
    "apis": "its APIs that units of this node serve: unit and URL of each",
    "in_pods": "whether any pod of this node is in the namespace openstack",
    "pod_apis": "its APIs that pods of this node serve: URL of each",
    "pod_servers": "addresses of RabbitMQ, MariaDB and memcached in pods of this node",
    "message_servers": "addresses of RabbitMQ that its services are told to use",
    "uses_kvm": "whether a nova-compute is here, and told to use KVM, which it does with libvirt unless told otherwise",
}


class Api(NamedTuple):
    """An API: its port and path, what its units and pods are called, and where its address is configured.

    It serves TLS itself where `tls_option` has a value that `tls` fits as a whole.
    """

    port: int
    path: str
    units: str
    pods: str
    file: str = ""
    address_option: str = ""
    port_option: str = ""
    tls_option: str = ""
    tls: str = "(?i)true|yes|on|1"


APIS = {
    "keystone": Api(5000, "/", "keystone", "keystone-api"),
    "glance": Api(
        9292, "/", "glance-api", "glance-api", "/etc/glance/glance-api.conf", "bind_host", "bind_port",
        "cert_file", "/.+",
    ),
    "nova": Api(
        8774, "/", "nova-api|nova-api-os-compute", "nova-api-osapi", "/etc/nova/nova.conf",
        "osapi_compute_listen", "osapi_compute_listen_port", "enabled_ssl_apis", r".*\bosapi_compute\b.*",
    ),
    "nova-metadata": Api(
        8775, "/", "nova-api-metadata|nova-metadata", "nova-api-metadata", "/etc/nova/nova.conf",
        "metadata_listen", "metadata_listen_port", "enabled_ssl_apis", r".*\bmetadata\b.*",
    ),
    "placement": Api(8778, "/", "placement-api", "placement-api"),
    "neutron": Api(
        9696, "/", "neutron-api|neutron-server", "neutron-server", "/etc/neutron/neutron.conf", "bind_host",
        "bind_port", "use_ssl",
    ),
    "cinder": Api(
        8776, "/", "cinder-api", "cinder-api", "/etc/cinder/cinder.conf", "osapi_volume_listen",
        "osapi_volume_listen_port", "osapi_volume_use_ssl",
    ),
    "horizon": Api(80, "/horizon/", "", "horizon"),
}  # fmt: skip
PROJECTS = (
    "nova|neutron|cinder|glance|keystone|placement|heat|barbican|octavia|designate|magnum|manila|ironic|aodh|gnocchi|"
    "ceilometer|masakari|swift|trove|zun"
)
SERVICE = rf"(openstack-)?({PROJECTS})(-.*)?\.service|kolla-({PROJECTS}|horizon)(_.*)?-container\.service"
COMPUTE = r"(openstack-)?nova-compute\.service|kolla-nova_compute-container\.service"
NETWORK = r"neutron-.*-agent\.service|kolla-neutron_.*_agent-container\.service"
SITES = ("/etc/apache2/sites-enabled", "/etc/apache2/conf-enabled", "/etc/httpd/conf.d")
OWN_FILES = ("/etc/apache2/ports.conf", "/etc/httpd/conf/httpd.conf")
WEB_SERVER = r"(apache2|httpd)\.service"
LISTEN = re.compile(r"^\s*Listen\s+(?:(\S+):)?(\d+)\b", re.MULTILINE)
DASHBOARD = re.compile(r"openstack-dashboard|horizon")
POD_SERVERS = {"rabbitmq-rabbitmq": 5672, "mariadb-server": 3306, "memcached-memcached": 11211}
EVERYWHERE = ("", "*", "0.0.0.0", "::", "[::]")  # what is bound so answers on the loopback interface, too
LOOPBACK = "127.0.0.1"
CONFIGURATIONS = ("nova/nova", "neutron/neutron", "cinder/cinder", "glance/glance-api", "keystone/keystone")


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    units = enabled_units(root, SERVICE)
    compute = [unit for unit in units if re.fullmatch(COMPUTE, unit)]
    network = [unit for unit in units if re.fullmatch(NETWORK, unit)]
    from_web_server = list(_by_web_server(root))
    web_servers = sorted({api["unit"] for api in from_web_server})
    return {
        "services": [*(unit for unit in units if unit not in compute + network), *web_servers],
        "compute_units": compute,
        "network_units": network,
        "apis": [*_by_units(root, units), *from_web_server],
        "in_pods": bool(pods_named(root, r"openstack_[^_]+")),
        "pod_apis": list(_by_pods(root)),
        "pod_servers": list(_pod_servers(root)),
        "message_servers": _message_servers(root),
        "uses_kvm": _uses_kvm(root, compute),
    }, LOCAL


# ---- APIs


def _by_units(root: str, units: list[str]) -> Iterator[dict[str, str]]:
    for name, api in APIS.items():
        for unit in units:
            if api.units and re.fullmatch(rf"(openstack-)?({api.units})\.service", unit):
                told = options_of(text_if_there(root + api.file)) if api.file else {}
                address, port = told.get(api.address_option, ""), told.get(api.port_option, "")
                scheme = "https" if re.fullmatch(api.tls, told.get(api.tls_option, "")) else "http"
                yield {"name": name, "unit": unit, "url": _url(address, port or str(api.port), api.path, scheme)}


def _by_web_server(root: str) -> Iterator[dict[str, str]]:
    """Sites of Apache that listen on the port of an API; the dashboard has that of the web, where Apache has it."""
    unit = next(iter(enabled_units(root, WEB_SERVER)), "")
    paths = sorted(path for folder in SITES for path in glob.glob(f"{root}{folder}/*.conf")) if unit else []
    by_port = {str(api.port): (name, api) for name, api in APIS.items()}
    for path in paths:
        if DASHBOARD.search(path.rpartition("/")[2]) and (address := _of_the_web(root, paths)) is not None:
            yield {"name": "horizon", "unit": unit, "url": _url(address, "80", APIS["horizon"].path)}
        for address, port in LISTEN.findall(text_if_there(path)):
            name, api = by_port.get(port, ("", None))
            if api and name != "horizon":
                yield {"name": name, "unit": unit, "url": _url(address, port, api.path)}


def _of_the_web(root: str, sites: list[str]) -> str | None:
    """Return the address at which Apache listens on port 80; None where it does not: a proxy may have that port."""
    paths = [*(root + path for path in OWN_FILES), *sites]
    return next(
        (address for path in paths for address, port in LISTEN.findall(text_if_there(path)) if port == "80"), None
    )


def _by_pods(root: str) -> Iterator[dict[str, str]]:
    """Yield those of pods of a deployment; one of a job, such as horizon-db-sync-x2x4k, serves nothing."""
    for name, api in APIS.items():
        for pod in with_address(pods_named(root, rf"[^_]+_{api.pods}-[^_-]+-[^_-]+")):
            yield {"name": f"{name} in {pod.name}", "url": pod.base("http", api.port) + api.path}


def _url(address: str, port: str, path: str, scheme: str = "http") -> str:
    host = LOOPBACK if address in EVERYWHERE else address
    return f"{scheme}://{f'[{host}]' if ':' in host.strip('[]') and not host.startswith('[') else host}:{port}{path}"


# ---- what they need


def _pod_servers(root: str) -> Iterator[str]:
    for name, port in POD_SERVERS.items():
        for pod in with_address(pods_named(root, rf"[^_]+_{name}-[^_]+")):
            yield f"{pod.address}:{port}"


def _message_servers(root: str) -> list[str]:
    """Return the hosts of transport_url, rabbit://user:password@host:port,user:password@host:port/: nothing else."""
    texts = (text_if_there(f"{root}/etc/{name}.conf") for name in CONFIGURATIONS)
    urls = (options_of(text).get("transport_url", "") for text in texts)
    places = [place for url in urls if url.startswith("rabbit://") for place in url[9:].partition("/")[0].split(",")]
    hosts = (place.rpartition("@")[2] for place in places)
    return sorted({host if re.search(r":\d+$", host) else f"{host}:5672" for host in hosts if host})


def _uses_kvm(root: str, units: list[str]) -> bool:
    """Tell whether it drives libvirt, and that KVM: nova-compute of Ironic, say, has no virtual machines at all.

    One that was removed, or is kept from starting, leaves its files behind.
    """
    pods = pods_named(root, r"[^_]+_nova-compute-[^_]+")
    if not units and not pods:
        return False
    told = options_of("\n".join(map(text_if_there, _of_nova_compute(root, pods))))
    return "libvirt" in told.get("compute_driver", "libvirt").lower() and told.get("virt_type", "kvm") == "kvm"


def _of_nova_compute(root: str, pods: list[Pod]) -> Iterator[str]:
    """Yield its files: the package's own is read after nova.conf. That of a container of kolla, that of a pod."""
    yield from (f"{root}/etc/nova/{name}" for name in ("nova.conf", "nova-compute.conf"))
    yield f"{root}/etc/kolla/nova-compute/nova.conf"
    for pod in pods:
        yield from glob.glob(f"{root}{pod.folder}/volumes/kubernetes.io~*/*/nova.conf")
