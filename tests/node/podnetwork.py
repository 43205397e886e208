"""The network of pods, as flannel's vxlan backend lays it out; flannel itself is not in Debian."""

import dataclasses

MAC = "0e:77:00:00:00:{:02x}"
# As flannel's own manifest has it. cni0 is the bridge of the pods of a node; flannel.1 leads to those of the other one.
CONFIGURATION = """\
{"name": "cbr0", "cniVersion": "0.3.1", "plugins": [
  {"type": "flannel", "delegate": {"hairpinMode": true, "isDefaultGateway": true}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
"""


@dataclasses.dataclass(frozen=True)
class Share:
    """What a node has of the network of pods."""

    number: int  # 10.244.NUMBER.0/24
    address: str  # of the node itself

    @property
    def subnet(self) -> str:
        """The addresses of this node's pods."""
        return f"10.244.{self.number}.0/24"

    @property
    def mac(self) -> str:
        """The hardware address of this node's flannel.1."""
        return MAC.format(self.number)


def script(own: Share, other: Share) -> str:
    """The shell commands that do on a node what flanneld does: its link, its routes, and the file for its plugin."""
    return f"""
set -e
ip link add flannel.1 address {own.mac} mtu 1450 type vxlan id 1 local {own.address} dev host0 dstport 8472 nolearning
ip address add 10.244.{own.number}.0/32 dev flannel.1
ip link set flannel.1 up
ip neighbour add 10.244.{other.number}.0 lladdr {other.mac} dev flannel.1 nud permanent
bridge fdb append {other.mac} dev flannel.1 dst {other.address}
ip route add {other.subnet} via 10.244.{other.number}.0 dev flannel.1 onlink
iptables --table nat --append POSTROUTING --source 10.244.0.0/16 --destination 10.244.0.0/16 --jump RETURN
iptables --table nat --append POSTROUTING --source 10.244.0.0/16 ! --destination 224.0.0.0/4 --jump MASQUERADE
iptables --append FORWARD --source 10.244.0.0/16 --jump ACCEPT
iptables --append FORWARD --destination 10.244.0.0/16 --jump ACCEPT
mkdir -p /run/flannel
cat >/run/flannel/subnet.env <<'ENVIRONMENT'
FLANNEL_NETWORK=10.244.0.0/16
FLANNEL_SUBNET=10.244.{own.number}.1/24
FLANNEL_MTU=1450
FLANNEL_IPMASQ=true
ENVIRONMENT
"""
