"""What of OpenStack and its helpers is on this node: units that are enabled, files of configuration, pods."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from nodecheck.node.facts import libvirt, mariadb, memcached, openstack, openvswitch, rabbitmq

WANTS = "etc/systemd/system/multi-user.target.wants"
UID = "2cd06b5d-00e8-4b28-aad8-8e681c833315"
NOVA = """\
[DEFAULT]
# transport_url = rabbit://
transport_url = rabbit://nova:s3cr3t@10.0.0.5:5671,nova:s3cr3t@[fd00::6]:5672,nova:s3cr3t@mq3/nova?ssl=1
osapi_compute_listen=10.0.0.5
osapi_compute_listen_port = 18774
[libvirt]
virt_type = qemu
"""
ONLY_TLS = "listeners.tcp = none\nlisteners.ssl.default = 10.0.0.5:5675\n"
ERLANG = '[{rabbit, [\n  % {tcp_listeners, [5672]},\n  {tcp_listeners, [{"10.0.0.5", 5676}]}]}].\n'
KEYSTONE_SITE = "Listen 5000\n<VirtualHost *:5000>\n  WSGIDaemonProcess keystone\n</VirtualHost>\n"


def write(root: pathlib.Path, path: str, text: str = "") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def enable(root: pathlib.Path, *units: str) -> None:
    for unit in units:
        folder = root / ("etc/systemd/system/sockets.target.wants" if unit.endswith(".socket") else WANTS)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / unit).symlink_to(f"/lib/systemd/system/{unit}")


def mask(root: pathlib.Path, unit: str) -> None:
    (root / f"etc/systemd/system/{unit}").symlink_to("/dev/null")


def pod(root: pathlib.Path, name: str, address: str) -> None:
    (root / f"var/log/pods/{name}_{UID}").mkdir(parents=True)
    write(root, f"var/lib/kubelet/pods/{UID}/etc-hosts", f"# Kubernetes-managed hosts file.\n{address}\tx\n")


def found(subject: Any, root: pathlib.Path, *names: str) -> Any:
    parts = subject.find(str(root))[0]
    return [parts[name] for name in names] if len(names) > 1 else parts[names[0]]


# ---- openstack


def test_units_are_told_apart_by_what_they_do(tmp_path: pathlib.Path) -> None:
    enable(tmp_path, "nova-compute.service", "neutron-openvswitch-agent.service", "keystone.service", "ssh.service")
    enable(tmp_path, "openstack-nova-conductor.service", "kolla-glance_api-container.service", "neutron-api.service")
    services = [
        "keystone.service",
        "kolla-glance_api-container.service",
        "neutron-api.service",
        "openstack-nova-conductor.service",
    ]
    expected = [services, ["nova-compute.service"], ["neutron-openvswitch-agent.service"]]
    assert expected == found(openstack, tmp_path, "services", "compute_units", "network_units")


def test_a_service_that_is_masked_since_a_web_server_runs_it_is_that_of_the_web_server(tmp_path: pathlib.Path) -> None:
    enable(tmp_path, "keystone.service", "apache2.service")
    mask(tmp_path, "keystone.service")
    write(tmp_path, "etc/apache2/sites-enabled/keystone.conf", KEYSTONE_SITE)
    apis = [{"name": "keystone", "unit": "apache2.service", "url": "http://127.0.0.1:5000/"}]
    assert [["apache2.service"], apis] == found(openstack, tmp_path, "services", "apis")


def test_an_api_is_asked_where_its_configuration_says(tmp_path: pathlib.Path) -> None:
    enable(tmp_path, "nova-api.service")
    write(tmp_path, "etc/nova/nova.conf", NOVA)
    assert found(openstack, tmp_path, "apis") == [
        {"name": "nova", "unit": "nova-api.service", "url": "http://10.0.0.5:18774/"}
    ]


@pytest.mark.parametrize(
    ("unit", "file", "text", "url"),
    [
        ("neutron-server.service", "neutron/neutron.conf", "use_ssl = True\n", "https://127.0.0.1:9696/"),
        ("neutron-server.service", "neutron/neutron.conf", "use_ssl = False\n", "http://127.0.0.1:9696/"),
        (
            "nova-api.service",
            "nova/nova.conf",
            "enabled_ssl_apis = osapi_compute,metadata\n",
            "https://127.0.0.1:8774/",
        ),
        ("nova-api.service", "nova/nova.conf", "enabled_ssl_apis = metadata\n", "http://127.0.0.1:8774/"),
        ("cinder-api.service", "cinder/cinder.conf", "osapi_volume_use_ssl=true\n", "https://127.0.0.1:8776/"),
        ("glance-api.service", "glance/glance-api.conf", "cert_file = /etc/ssl/g.crt\n", "https://127.0.0.1:9292/"),
    ],
)
def test_an_api_is_asked_over_tls_where_it_is_told_to_serve_that(
    tmp_path: pathlib.Path, unit: str, file: str, text: str, url: str
) -> None:
    enable(tmp_path, unit)
    write(tmp_path, f"etc/{file}", f"[DEFAULT]\n{text}")
    assert [url] == [api["url"] for api in found(openstack, tmp_path, "apis")]


@pytest.mark.parametrize(
    ("unit", "url"),
    [
        ("keystone.service", "http://127.0.0.1:5000/"),
        ("glance-api.service", "http://127.0.0.1:9292/"),
        ("openstack-glance-api.service", "http://127.0.0.1:9292/"),
        ("nova-api-metadata.service", "http://127.0.0.1:8775/"),
        ("placement-api.service", "http://127.0.0.1:8778/"),
        ("neutron-server.service", "http://127.0.0.1:9696/"),
        ("cinder-api.service", "http://127.0.0.1:8776/"),
    ],
)
def test_an_api_without_more_said_is_at_the_port_that_upstream_gives_it(
    tmp_path: pathlib.Path, unit: str, url: str
) -> None:
    enable(tmp_path, unit)
    assert [url] == [api["url"] for api in found(openstack, tmp_path, "apis")]


@pytest.mark.parametrize(
    ("file", "listen", "urls"),
    [
        ("apache2/ports.conf", "Listen 80\n<IfModule ssl_module>\n  Listen 443\n</IfModule>\n", ["127.0.0.1:80"]),
        ("apache2/ports.conf", "Listen 10.0.0.5:80\n", ["10.0.0.5:80"]),
        ("apache2/ports.conf", "Listen 8080\n", []),
        ("httpd/conf/httpd.conf", "Listen [fd00::5]:80\n", ["[fd00::5]:80"]),
    ],
)
def test_the_dashboard_is_a_site_of_the_web_server_where_that_has_the_port_of_the_web(
    tmp_path: pathlib.Path, file: str, listen: str, urls: list[str]
) -> None:
    enable(tmp_path, "apache2.service")
    write(tmp_path, "etc/apache2/conf-enabled/openstack-dashboard.conf", "WSGIScriptAlias /horizon /usr/share/x\n")
    write(tmp_path, f"etc/{file}", listen)
    expected = [{"name": "horizon", "unit": "apache2.service", "url": f"http://{url}/horizon/"} for url in urls]
    assert expected == found(openstack, tmp_path, "apis")


def test_apis_and_servers_in_pods_have_the_address_of_the_pod(tmp_path: pathlib.Path) -> None:
    pod(tmp_path, "openstack_keystone-api-7d5b9d-x2x", "10.244.0.9")
    expected = [[{"name": "keystone in keystone-api-7d5b9d-x2x", "url": "http://10.244.0.9:5000/"}], [], True]
    assert expected == found(openstack, tmp_path, "pod_apis", "pod_servers", "in_pods")


@pytest.mark.parametrize(
    ("name", "count"), [("horizon-6b9d-x2x4k", 1), ("horizon-db-sync-x2x4k", 0), ("horizon-test", 0)]
)
def test_a_job_that_is_called_after_the_dashboard_serves_nothing(tmp_path: pathlib.Path, name: str, count: int) -> None:
    pod(tmp_path, f"openstack_{name}", "10.244.0.9")
    assert count == len(found(openstack, tmp_path, "pod_apis"))


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("openstack_rabbitmq-rabbitmq-0", "10.244.0.9:5672"),
        ("openstack_mariadb-server-0", "10.244.0.9:3306"),
        ("openstack_memcached-memcached-6b-x", "10.244.0.9:11211"),
    ],
)
def test_servers_in_pods_have_their_usual_port(tmp_path: pathlib.Path, name: str, server: str) -> None:
    pod(tmp_path, name, "10.244.0.9")
    assert [server] == found(openstack, tmp_path, "pod_servers")


def test_of_the_transport_url_no_more_is_told_than_the_servers(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/nova/nova.conf", NOVA)
    assert found(openstack, tmp_path, "message_servers") == ["10.0.0.5:5671", "[fd00::6]:5672", "mq3:5672"]
    assert "s3cr3t" not in str(openstack.find(str(tmp_path)))


@pytest.mark.parametrize(
    ("nova", "compute", "expected"),
    [
        ("", "", True),
        (NOVA, "", False),
        (NOVA, "[libvirt]\nvirt_type=kvm\n", True),
        ("", "[libvirt]\nvirt_type=lxc\n", False),
        ("[DEFAULT]\ncompute_driver = ironic.IronicDriver\n", "", False),
        ("[DEFAULT]\ncompute_driver = vmwareapi.VMwareVCDriver\n", "", False),
        ("[DEFAULT]\ncompute_driver = nova.virt.libvirt.LibvirtDriver\n", "", True),
    ],
)
def test_nova_compute_uses_kvm_unless_told_otherwise(
    tmp_path: pathlib.Path, nova: str, compute: str, expected: bool
) -> None:
    enable(tmp_path, "nova-compute.service")
    write(tmp_path, "etc/nova/nova.conf", nova)
    write(tmp_path, "etc/nova/nova-compute.conf", compute)
    assert expected == found(openstack, tmp_path, "uses_kvm")


def test_a_nova_compute_that_was_removed_needs_no_kvm(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/nova/nova-compute.conf", "[libvirt]\nvirt_type=kvm\n")
    enable(tmp_path, "nova-compute.service")
    mask(tmp_path, "nova-compute.service")  # as dpkg --remove does
    assert not found(openstack, tmp_path, "uses_kvm")


def test_nova_compute_of_kolla_or_in_a_pod_has_a_file_of_its_own(tmp_path: pathlib.Path) -> None:
    enable(tmp_path, "kolla-nova_compute-container.service")
    write(tmp_path, "etc/kolla/nova-compute/nova.conf", NOVA)
    assert not found(openstack, tmp_path, "uses_kvm")
    write(tmp_path, "etc/kolla/nova-compute/nova.conf")
    pod(tmp_path, "openstack_nova-compute-default-x2xab", "10.244.0.9")
    write(tmp_path, f"var/lib/kubelet/pods/{UID}/volumes/kubernetes.io~secret/nova-compute-default/nova.conf", NOVA)
    assert not found(openstack, tmp_path, "uses_kvm")


# ---- the hypervisor


@pytest.mark.parametrize(
    ("units", "sockets", "services"),
    [
        (
            ["libvirtd.service", "libvirtd.socket", "virtlogd.socket"],
            ["libvirtd.socket", "virtlogd.socket"],
            ["libvirtd.service"],
        ),
        (
            ["virtqemud.socket", "virtqemud-ro.socket", "virtnetworkd.socket"],
            ["virtnetworkd.socket", "virtqemud.socket"],
            [],
        ),
        (["libvirt-guests.service"], [], []),
    ],
)
def test_libvirt_is_one_daemon_or_several(
    tmp_path: pathlib.Path, units: list[str], sockets: list[str], services: list[str]
) -> None:
    enable(tmp_path, *units)
    assert [sockets, services] == found(libvirt, tmp_path, "sockets", "services")


def test_a_masked_socket_of_libvirt_is_not_missed(tmp_path: pathlib.Path) -> None:
    enable(tmp_path, "libvirtd.socket", "virtlockd.socket")
    mask(tmp_path, "virtlockd.socket")
    assert found(libvirt, tmp_path, "sockets") == ["libvirtd.socket"]


def test_open_vswitch_is_two_daemons_and_has_the_bridge_of_neutron(tmp_path: pathlib.Path) -> None:
    enable(tmp_path, "openvswitch-switch.service", "neutron-openvswitch-agent.service")
    write(tmp_path, "usr/bin/ovs-vsctl")
    write(tmp_path, "etc/neutron/plugins/ml2/openvswitch_agent.ini", "[ovs]\n#integration_bridge = x\n")
    units = [["ovsdb-server.service"], ["ovs-vswitchd.service"]]
    assert [*units, ["br-int"]] == found(openvswitch, tmp_path, "database_units", "switch_units", "bridges")


def test_open_vswitch_in_a_pod_has_no_units(tmp_path: pathlib.Path) -> None:
    assert found(openvswitch, tmp_path, "database_units", "switch_units", "bridges") == [[], [], []]


# ---- the helpers


@pytest.mark.parametrize(
    ("subject", "unit", "written", "port"),
    [
        (rabbitmq, "rabbitmq-server.service", ("etc/rabbitmq/rabbitmq.conf", ""), 5672),
        (
            rabbitmq,
            "kolla-rabbitmq-container.service",
            ("etc/rabbitmq/rabbitmq.conf", "listeners.tcp.1 = 10.0.0.5:5673\n"),
            5673,
        ),
        (
            rabbitmq,
            "rabbitmq-server.service",
            ("etc/rabbitmq/conf.d/1.conf", "listeners.tcp.default = 5673\n"),
            5673,
        ),
        (rabbitmq, "rabbitmq-server.service", ("etc/rabbitmq/rabbitmq-env.conf", "NODE_PORT=5674\n"), 5674),
        (rabbitmq, "rabbitmq-server.service", ("etc/rabbitmq/rabbitmq.conf", ONLY_TLS), 5675),
        (rabbitmq, "rabbitmq-server.service", ("etc/rabbitmq/rabbitmq.config", ERLANG), 5676),
        (memcached, "memcached.service", ("etc/memcached.conf", "-m 64\n-p 11212\n-l 127.0.0.1\n"), 11212),
        (memcached, "memcached.service", ("etc/sysconfig/memcached", 'PORT="11213"\n'), 11213),
        (memcached, "memcached.service", ("etc/memcached.conf", "-p 11211\n-s /run/memcached/memcached.sock\n"), 0),
        (memcached, "memcached.service", ("etc/memcached.conf", "-p 11211\n# -s /run/memcached.sock\n"), 11211),
        (memcached, "memcached.service", ("etc/sysconfig/memcached", 'OPTIONS="-v -s /run/memcached.sock"\n'), 0),
        (memcached, "kolla-memcached-container.service", ("etc/memcached.conf", ""), 11211),
        (mariadb, "mariadb.service", ("etc/mysql/mariadb.conf.d/50-server.cnf", "[mysqld]\nport = 3307\n"), 3307),
        (mariadb, "mysql.service", ("etc/mysql/my.cnf", ""), 3306),
        (mariadb, "mysql.service", ("etc/mysql/my.cnf", "[mysqld]\nport=3307\n[client]\nport=3306\n"), 3307),
        (mariadb, "mariadb.service", ("etc/my.cnf", "[mariadb-10.11]\n  port = 3307  # not the usual one\n"), 3307),
        (mariadb, "mariadb.service", ("etc/my.cnf.d/server.cnf", "[server]\nskip-networking\n"), 0),
        (mariadb, "mariadb.service", ("etc/my.cnf.d/server.cnf", "[server]\nskip_networking = OFF\n"), 3306),
    ],
)
def test_a_helper_has_the_port_that_its_configuration_says(
    tmp_path: pathlib.Path, subject: Any, unit: str, written: tuple[str, str], port: int
) -> None:
    enable(tmp_path, unit)
    write(tmp_path, *written)
    assert [[unit], port] == found(subject, tmp_path, "units", "port")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[mysqld]\nwsrep_on = ON\n", True),
        ("[galera]\nwsrep-on=1\n", True),
        ("[galera]\nwsrep_on = ON # since Pike\n", True),
        ("#wsrep_on=ON\n", False),
        ("wsrep_on=OFF", False),
    ],
)
def test_mariadb_may_be_of_a_galera_cluster(tmp_path: pathlib.Path, text: str, expected: bool) -> None:
    write(tmp_path, "etc/mysql/mariadb.conf.d/60-galera.cnf", text)
    assert expected == found(mariadb, tmp_path, "galera")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("", "127.0.0.1"),
        ("[mysqld]\nbind-address = 0.0.0.0\n", "127.0.0.1"),
        ("[mysqld]\nbind-address = *\n", "127.0.0.1"),
        ("[mysqld]\nbind-address = 10.0.0.11\n", "10.0.0.11"),
        ("[mysqld]\nbind_address=10.0.0.11,127.0.0.1\n", "10.0.0.11"),
        ('[mysqld]\nbind-address = "10.0.0.11"  # not to all\n', "10.0.0.11"),
    ],
)
def test_mariadb_is_asked_at_the_address_that_it_listens_on(tmp_path: pathlib.Path, text: str, host: str) -> None:
    write(tmp_path, "etc/mysql/mariadb.conf.d/99-openstack.cnf", text)
    assert host == found(mariadb, tmp_path, "host")


def test_mariadb_of_kolla_is_told_by_its_own_file(tmp_path: pathlib.Path) -> None:
    write(
        tmp_path,
        "etc/kolla/mariadb/galera.cnf",
        "[client]\nport = 1\n[mysqld]\nbind-address=10.0.0.11\nwsrep_on = ON\n",
    )
    assert found(mariadb, tmp_path, "host", "port", "galera") == ["10.0.0.11", 3306, True]
