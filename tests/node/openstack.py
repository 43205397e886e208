"""A node of OpenStack: libvirt, Open vSwitch, keystone, RabbitMQ, MariaDB and memcached, as Debian has them."""

import pathlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .derived import INSTALL, Recipe, ensure_derived_root
from .machine import Machine
from .roots import ensure_root
from .scenarios import Place

SUITE = "bookworm"
PACKAGES = "libvirt-daemon-system openvswitch-switch keystone rabbitmq-server mariadb-server memcached curl".split()
# keystone answers only when it has keys for its tokens, and a database.
SETUP = f"""
{INSTALL}
install_packages {" ".join(PACKAGES)}
sed -i 's/^processes *=.*/processes = 2/; s/^threads *=.*/threads = 2/' /etc/keystone/keystone-uwsgi.ini
sed -i '/^\\[database\\]/a connection = sqlite:////var/lib/keystone/keystone.db' /etc/keystone/keystone.conf
keystone-manage fernet_setup --keystone-user keystone --keystone-group keystone
keystone-manage db_sync
chown -R keystone: /var/lib/keystone /var/log/keystone
"""
WELL = """
systemctl is-active --quiet libvirtd.socket ovsdb-server ovs-vswitchd keystone rabbitmq-server mariadb memcached
curl --silent --max-time 3 --output /dev/null http://127.0.0.1:5000/
mysqladmin --connect-timeout=3 ping
ovs-vsctl --timeout=3 show
rabbitmq-diagnostics -t 5 -q check_port_connectivity
"""


class OpenStack:
    """The node, booted anew when a scenario cannot be mended. A context manager: it is gone afterwards."""

    def __init__(self, checkout: pathlib.Path, say: Callable[[str], None]) -> None:
        self._checkout = checkout
        self._say = say
        self._node: Machine

    def __enter__(self) -> Self:
        self._boot()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._node.stop()

    def place(self) -> Place:
        """The node as scenarios know it."""
        return Place(nodes=lambda: {"openstack": self._node}, reboot=self._reboot, well={"openstack": WELL})

    def _reboot(self) -> None:
        self._node.stop()
        self._boot()

    def _boot(self) -> None:
        recipe = Recipe("openstack", ensure_root(SUITE), SETUP)
        base = ensure_derived_root(recipe, self._say)
        self._node = Machine(name="openstack", hostname="openstack", base=base).__enter__()
        self._node.install_nodecheck(self._checkout)
