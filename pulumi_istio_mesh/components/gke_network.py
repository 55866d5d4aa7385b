"""The VPC of GKE clusters, or one that exists, and how private nodes get out of it."""

import hashlib
from collections.abc import Iterable
from typing import Optional

import pulumi
import pulumi_gcp as gcp

from ..istio import names
from ..topology.gke import GkeNetwork as Facts


class GkeNetwork(pulumi.ComponentResource):
    """A VPC without subnetworks of its own: each cluster brings one. Firewall rules come from the mesh's plan.

    A VPC that exists is used as it is. On destroy everything made here goes; Google refuses while anything else is on
    the VPC, such as a load balancer that a deleted cluster left behind.
    """

    vpc: pulumi.Output[str]
    """What subnetworks, clusters and firewall rules name."""
    nat_addresses: dict[str, pulumi.Output[str]]
    """Address from which private nodes of a region reach the internet; empty without Cloud NAT."""

    def __init__(
        self, name: str, facts: Facts, regions: Iterable[str], opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """`regions` are those that get Cloud NAT, where `facts` ask for it."""
        super().__init__(names.token("GkeNetwork"), name, None, opts)
        within = pulumi.ResourceOptions(parent=self)
        if facts.vpc_path is None:
            made = gcp.compute.Network(
                name,
                project=facts.project,
                auto_create_subnetworks=False,
                # Routes of every region, for interconnects and VPNs to clusters elsewhere.
                routing_mode="GLOBAL",
                opts=within,
            )
            self.vpc = made.id
        else:
            self.vpc = pulumi.Output.from_input(facts.vpc_path)
        self.nat_addresses = {}
        for region in sorted(set(regions)) if facts.nat else ():
            # Reserved, because API servers authorize it: an automatic one would change behind their backs.
            address = gcp.compute.Address(
                f"{name}-{region}-nat", project=facts.host_project, region=region, opts=within
            )
            router = gcp.compute.Router(
                f"{name}-{region}", project=facts.host_project, region=region, network=self.vpc, opts=within
            )
            gcp.compute.RouterNat(
                f"{name}-{region}",
                project=facts.host_project,
                region=region,
                router=router.name,
                nat_ip_allocate_option="MANUAL_ONLY",
                nat_ips=[address.self_link],
                source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
                opts=within,
            )
            self.nat_addresses[region] = address.address
        self.register_outputs({"vpc": self.vpc, "natAddresses": self.nat_addresses})


def shortened(name: str, length: int) -> str:
    """Return a name that is at most so long, and another one for another name."""
    if len(name) <= length:
        return name
    return f"{name[: length - 9].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
