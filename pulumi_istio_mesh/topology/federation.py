"""What a mesh shares with other meshes: what it exports, whom it knows, and what it imports from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .declared import Declared
from .names import default_trust_domain

Port = Annotated[int, Field(ge=1, le=65535)]

CLUSTER_DOMAIN = "svc.cluster.local"


class Export(Declared):
    """A Service that other meshes may call, keyed by `<service>.<namespace>`."""

    ports: dict[str, Port]
    """Numbers of the Service's ports that are exported, by name, which begins with the protocol, such as http-api."""
    accounts: tuple[str, ...]
    """Service accounts that its pods run as: callers accept nobody else."""
    callers: dict[str, tuple[str, ...]] = {}
    """Who may call, by mesh: `<namespace>/<service account>`, `<namespace>/*`, or `*` for all of that mesh; nobody
    when left out."""


class Fallback(Declared):
    """A Service of the importing mesh itself, which answers while no gateway of the exporter does.

    Called by its cluster's own address, so only pods in the caller's cluster answer.
    """

    service: str
    """`<service>.<namespace>`, with the same ports as the import."""
    accounts: tuple[str, ...]
    """Service accounts that its pods run as."""


class Import(Declared):
    """A Service of another mesh that can be called here, keyed by the `<service>.<namespace>` it has there."""

    ports: dict[str, Port]
    """Numbers of the ports that are called, by name, as the other mesh exports them."""
    namespaces: tuple[str, ...]
    """Namespaces that see it; it is unknown in all others."""
    host: str | None = None
    """Name by which it is called here; `<service>.<namespace>.<mesh>.internal` when left out."""
    address: str | None = None
    """IP address that the name stands for, needed where proxies answer no DNS; one of their choice when left out."""
    rewrite_host: bool = False
    """Whether HTTP requests carry the Service's own name in its mesh as their host, instead of the name used here."""
    fallback: Fallback | None = None
    """Service of this mesh that answers while no gateway of the exporter does."""


class Peer(Declared):
    """Another mesh, keyed by its mesh ID."""

    trust_domain: str | None = None
    """Its trust domain, without which its offer is refused; `<mesh ID>.internal` when left out."""
    trust_domain_aliases: tuple[str, ...] = ()
    """Trust domains that it has besides while it changes its own: its roots may vouch for these too."""
    accept: tuple[Literal["unconstrained-roots", "same-root-names"], ...] = ()
    """What is taken from it although it endangers this mesh (docs/federation.md)."""
    imports: dict[str, Import] = {}
    """Its Services that can be called here."""

    def identity_domain(self, mesh_id: str) -> str:
        """Return the trust domain in force; `mesh_id` is the peer's."""
        return self.trust_domain or default_trust_domain(mesh_id)

    def identity_domains(self, mesh_id: str) -> tuple[str, ...]:
        """Return every trust domain whose identities are the peer's."""
        return (self.identity_domain(mesh_id), *self.trust_domain_aliases)


class Link(Declared):
    """One Service of one mesh that another may call, where both are declared together: export and import in a line."""

    exporter: str
    """Mesh that has the Service among its exports."""
    importer: str
    """Mesh whose workloads call it."""
    service: str
    """`<service>.<namespace>`, as in the exporter's `exports`."""
    callers: tuple[str, ...] = ()
    """Who may call, as in the exporter's `exports`; nobody when left out."""
    namespaces: tuple[str, ...] | None = None
    """Namespaces of the importer that see it; those of the callers when left out."""
    host: str | None = None
    """As in the importer's `imports`."""
    address: str | None = None
    """As in the importer's `imports`."""
    rewrite_host: bool = False
    """As in the importer's `imports`."""
    fallback: Fallback | None = None
    """As in the importer's `imports`."""


def import_host(peer: str, service: str, declared: Import) -> str:
    """Return the name by which a mesh calls a peer's Service."""
    return declared.host or f"{service}.{peer}.internal"


def service_host(service: str) -> str:
    """Return the full name that `<service>.<namespace>` has in its own mesh."""
    return f"{service}.{CLUSTER_DOMAIN}"
