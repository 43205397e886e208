"""A node that carries OpenStack, with each of its services broken: the cause is named, and what needs it is blocked."""

from .scenarios import Proving, Scenario, nodecheck, problems, shell, table

NODE = "openstack"
# What this node truly lacks, by the check that says so.
LACKS = {"libvirt can use KVM": "KVM is not usable: there is no /dev/kvm"}
SOCKETS = "libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket"
LIBVIRT = f"systemctl reset-failed 'libvirtd*'; systemctl start {SOCKETS} libvirtd"
OVS = "systemctl restart openvswitch-switch ovsdb-server ovs-vswitchd"

SCENARIOS = (
    Scenario(
        name="libvirtd hangs",
        node=NODE,
        breaks="systemctl start libvirtd; pkill --signal STOP --exact libvirtd",
        mends="pkill --signal CONT --exact libvirtd",
        cause="There is at most one libvirtd, and it is not stuck",
        says="stopped by a signal",
    ),
    Scenario(
        name="libvirtd and its sockets were stopped",
        node=NODE,
        breaks=f"systemctl stop {SOCKETS} libvirtd",
        mends=LIBVIRT,
        cause="The socket of libvirt listens",
    ),
    Scenario(
        name="libvirtd cannot read its configuration",
        node=NODE,
        breaks="""
            copy /etc/libvirt/libvirtd.conf
            echo 'max_clients = "' >>/etc/libvirt/libvirtd.conf
            systemctl stop --no-block libvirtd
            systemctl restart libvirtd || true
            wait_for 'systemctl is-failed --quiet libvirtd'
        """,
        mends=f"back /etc/libvirt/libvirtd.conf; {LIBVIRT}",
        cause="libvirt",
    ),
    Scenario(
        name="the switch of Open vSwitch hangs",
        node=NODE,
        breaks="pkill --signal STOP --exact ovs-vswitchd",
        mends="pkill --signal CONT --exact ovs-vswitchd",
        cause="The switch of Open vSwitch is alive",
        says="stopped by a signal",
    ),
    Scenario(
        name="the database of Open vSwitch hangs",
        node=NODE,
        breaks="pkill --signal STOP --exact ovsdb-server",
        mends="pkill --signal CONT --exact ovsdb-server",
        cause="The database of Open vSwitch is alive",
        says="stopped by a signal",
    ),
    Scenario(
        name="the switch of Open vSwitch was stopped",
        node=NODE,
        breaks="systemctl stop ovs-vswitchd",
        mends=OVS,
        cause="The unit of Open vSwitch's database is healthy",  # systemd stops it, too
    ),
    Scenario(
        name="keystone was stopped",
        node=NODE,
        breaks="systemctl stop keystone",
        mends="systemctl start keystone",
        cause="The OpenStack service is healthy",
        says="keystone.service",
    ),
    Scenario(
        name="keystone has no keys: its unit is active, and its workers die for ever",
        node=NODE,
        breaks="away /etc/keystone/fernet-keys; systemctl restart keystone",
        mends="back /etc/keystone/fernet-keys; systemctl restart keystone",
        cause="The OpenStack API answers",
        says="127.0.0.1:5000.*does not answer",
    ),
    Scenario(
        name="RabbitMQ was stopped",
        node=NODE,
        breaks="systemctl stop rabbitmq-server",
        mends="systemctl start rabbitmq-server",
        cause="RabbitMQ is healthy",
    ),
    Scenario(
        name="RabbitMQ hangs",
        node=NODE,
        breaks="pkill --signal STOP --exact beam.smp",
        mends="pkill --signal CONT --exact beam.smp",
        cause="RabbitMQ is alive",
        says="stopped by a signal",
    ),
    Scenario(
        name="RabbitMQ lives and listens no more",
        node=NODE,
        breaks="rabbitmqctl --quiet suspend_listeners",
        mends="rabbitmqctl --quiet resume_listeners",
        cause="RabbitMQ takes connections",
        says="5672",
    ),
    Scenario(
        name="MariaDB was stopped",
        node=NODE,
        breaks="systemctl stop mariadb",
        mends="systemctl start mariadb",
        cause="MariaDB is healthy",
    ),
    Scenario(
        name="MariaDB hangs",
        node=NODE,
        breaks="pkill --signal STOP --exact mariadbd",
        mends="pkill --signal CONT --exact mariadbd",
        cause="MariaDB",
    ),
    Scenario(
        name="MariaDB does not know an option of its configuration",
        node=NODE,
        breaks="""
            printf '[mariadbd]\\nno_such_option=1\\n' >/etc/mysql/mariadb.conf.d/99-broken.cnf
            systemctl restart mariadb || true
            wait_for 'systemctl is-failed --quiet mariadb'
        """,
        mends="rm /etc/mysql/mariadb.conf.d/99-broken.cnf; systemctl reset-failed mariadb; systemctl start mariadb",
        cause="MariaDB is healthy",
    ),
    Scenario(
        name="memcached was stopped",
        node=NODE,
        breaks="systemctl stop memcached",
        mends="systemctl start memcached",
        cause="memcached is healthy",
    ),
    Scenario(
        name="memcached hangs",
        node=NODE,
        breaks="pkill --signal STOP --exact memcached",
        mends="pkill --signal CONT --exact memcached",
        cause="memcached is alive",
        says="stopped by a signal",
    ),
    Scenario(
        name="another process has the port of memcached",
        node=NODE,
        breaks="""
            systemctl stop memcached
            hold 11211
            wait_for 'held 11211'
            systemctl start memcached || true
            wait_for 'systemctl is-failed --quiet memcached'
        """,
        mends="release 11211; systemctl reset-failed memcached; systemctl start memcached",
        cause="memcached is healthy",
        says="exit code 71",
    ),
)


def test_a_node_that_is_well_is_silent(openstack: Proving) -> None:
    outcome = nodecheck(openstack.nodes[NODE])
    said = {check: one["message"] for check, one in problems(outcome).items()}
    assert (said, outcome.report["problems"]) == (LACKS, [])
    groups = set(outcome.report["node"]["groups"])
    assert {"libvirt", "openvswitch", "openstack", "rabbitmq", "mariadb", "memcached"} <= groups


def test_a_libvirtd_that_nobody_needs_and_that_ended_by_itself_is_no_fault(openstack: Proving) -> None:
    node = openstack.nodes[NODE]
    shell(node, "echo 'LIBVIRTD_ARGS=\"--timeout 1\"' >/etc/default/libvirtd; systemctl restart libvirtd")
    try:
        shell(node, "wait_for '! systemctl is-active --quiet libvirtd'")
        assert {check: one["message"] for check, one in problems(nodecheck(node)).items()} == LACKS
    finally:
        shell(node, "rm /etc/default/libvirtd; systemctl start libvirtd")


@table(*SCENARIOS)
def test_the_cause_is_named(openstack: Proving, scenario: Scenario) -> None:
    openstack.prove(scenario)
