"""The wires: a network namespace per cluster, all joined by one bridge that stands in for the internet.

The bridge has a namespace of its own and this machine one cable into it. So no packet between clusters
passes this machine's own firewall, and removing the namespaces removes everything but that cable.
Between pod networks there are no routes unless the shape asks for them: a pod that dials another cluster's
pod gets "network unreachable", while nodes, API servers and load balancers are reachable from everywhere.
"""

import socket
from pathlib import Path

from lab import addresses
from lab.errors import LabError
from lab.process import run
from lab.shape import Shape, number_of

HOST_CABLE = "mesh-lab"
_PREFIX = "mesh-lab-"
_WIDE_AREA = _PREFIX + "wan"
_NAMESPACES = Path("/run/netns")


def namespace(cluster: str) -> str:
    """The name of a cluster's network namespace."""
    return _PREFIX + cluster


def enter(cluster: str) -> list[str | Path]:
    """The start of a command line that runs a program on the cluster's network.

    `nsenter`, not `ip netns exec`: the latter mounts a new /sys, which hides the cgroups from kubelet.
    """
    return ["nsenter", f"--net={_NAMESPACES / namespace(cluster)}"]


def build(shape: Shape) -> None:
    """Makes the bridge, this machine's cable into it, and every cluster's namespace, routes and translation."""
    run(["ip", "netns", "add", _WIDE_AREA])
    _ip(_WIDE_AREA, "link add wan type bridge", "link set wan up", "link set lo up")
    _sysctl(_WIDE_AREA, "net.bridge.bridge-nf-call-iptables", 0)
    run(["ip", "link", "add", HOST_CABLE, "type", "veth", "peer", "name", "host", "netns", _WIDE_AREA])
    _ip(_WIDE_AREA, "link set host master wan up")
    run(["ip", "address", "add", f"{addresses.HOST}/{addresses.WIDE_AREA.prefixlen}", "dev", HOST_CABLE])
    run(["ip", "link", "set", HOST_CABLE, "up"])
    for cluster in shape.names:
        build_cluster(shape, cluster)


def build_cluster(shape: Shape, cluster: str) -> None:
    """Makes one cluster's namespace, on the bridge that is there."""
    number, name = number_of(cluster), namespace(cluster)
    run(["ip", "netns", "add", name])
    run(["ip", "-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", cluster, "netns", _WIDE_AREA])
    _ip(_WIDE_AREA, f"link set {cluster} master wan up")
    _ip(
        name,
        "link set lo up",
        f"address add {addresses.node(number)}/{addresses.WIDE_AREA.prefixlen} dev eth0",
        "link set eth0 up",
        # Nothing lives there: a packet to a Service needs some route before kube-proxy can redirect it.
        f"route add {addresses.service_range(number)} dev eth0",
        *(f"route add {shape.pod_cidr(peer)} via {addresses.node(number_of(peer))}" for peer in shape.peers(cluster)),
    )
    _sysctl(name, "net.ipv4.ip_forward", 1)
    # A reply between two pods on one bridge must pass conntrack too, or a Service's address stays in it.
    _sysctl(name, "net.bridge.bridge-nf-call-iptables", 1)
    if shape.nodes:
        _translate_sources(shape, cluster)


def _translate_sources(shape: Shape, cluster: str) -> None:
    """Pods leave the cluster with their node's address, except towards clusters on the same network."""
    own = shape.pod_cidr(cluster)
    direct = ", ".join(str(shape.pod_cidr(c)) for c in [cluster, *shape.peers(cluster)])
    rules = f"""
    table ip lab {{
      chain leaving {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {own} oifname "eth0" ip daddr != {{ {direct} }} masquerade
      }}
    }}
    """
    run([*enter(cluster), "nft", "-f", "-"], stdin=rules)


def remove() -> None:
    """Removes every namespace of the lab, of whatever shape it was, and the cable."""
    for name in existing():
        run(["ip", "netns", "delete", name])
    # Not /sys/class/net: that shows the network of whoever mounted it, where another lab may have its cable.
    if HOST_CABLE in (name for _, name in socket.if_nameindex()):
        run(["ip", "link", "delete", HOST_CABLE])


def remove_cluster(cluster: str) -> None:
    """Removes one cluster's namespace: nothing answers at its addresses, and nothing refuses."""
    if namespace(cluster) in existing():
        # Its cable first: the kernel would take it down with the namespace, but only some time after the last
        # process in there has ended, and until then the cluster's name is taken on the bridge.
        run(["ip", "-n", namespace(cluster), "link", "delete", "eth0"])
        run(["ip", "netns", "delete", namespace(cluster)])


def existing() -> list[str]:
    """The lab's network namespaces on this machine."""
    if not _NAMESPACES.is_dir():
        return []
    return sorted(entry.name for entry in _NAMESPACES.iterdir() if entry.name.startswith(_PREFIX))


def _ip(name: str, *commands: str) -> None:
    run(["ip", "-n", name, "-batch", "-"], stdin="\n".join(commands) + "\n")


def _sysctl(name: str, key: str, value: int) -> None:
    try:
        run(["nsenter", f"--net={_NAMESPACES / name}", "sysctl", "-qw", f"{key}={value}"])
    except LabError:
        # Without bridge netfilter in the kernel there is no such key, and nothing for it to switch.
        if not key.startswith("net.bridge."):
            raise
