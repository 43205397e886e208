"""The machine below a node of a cluster, broken in each way that breaks the node."""

from .scenarios import Proving, Scenario, table

SCENARIOS = (
    Scenario(
        name="swap is on",
        node="worker",
        breaks="""
            truncate --size=0 /var/lib/docker/swap
            fallocate --length 32m /var/lib/docker/swap
            chmod 600 /var/lib/docker/swap
            mkswap --quiet /var/lib/docker/swap
            swapon /var/lib/docker/swap
        """,
        mends="swapoff /var/lib/docker/swap; rm /var/lib/docker/swap",
        cause="[Ss]wap",
    ),
    Scenario(
        name="swap comes back with the next boot",
        node="worker",
        breaks="echo '/swap.img none swap sw 0 0' >>/etc/fstab",
        mends="sed -i /swap.img/d /etc/fstab",
        cause="[Ss]wap",
        says="fstab",
        criticals=0,
        machine=True,
    ),
    Scenario(
        name="the clock is not synchronised",
        node="worker",
        breaks="synchronised 0",
        mends="synchronised 1",
        cause="[Cc]lock|[Tt]ime",
        criticals=0,
        machine=True,
    ),
    Scenario(
        name="a unit that nobody checks has failed",
        node="worker",
        breaks="systemd-run --quiet --unit=backup false; wait_for 'systemctl is-failed --quiet backup'",
        mends="systemctl reset-failed backup",
        cause="^systemd answers and is well$",
        says="backup.service",
        criticals=0,
    ),
)


@table(*SCENARIOS)
def test_the_cause_is_named(proving: Proving, scenario: Scenario) -> None:
    proving.prove(scenario)
