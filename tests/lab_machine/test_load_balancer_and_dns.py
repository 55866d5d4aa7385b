"""Which Service gets which address, and what a name means. Packets need a lab."""

import struct
from ipaddress import IPv4Address

import pytest

from lab.dns import Names, answer
from lab.loadbalancer import Pool, address_of, hostname_of


class Mirror:
    """Objects as a watch would have left them."""

    def __init__(self, *objects):
        self.objects = list(objects)


def a_service(name: str, cluster_ip: str):
    return {"metadata": {"namespace": "shop", "name": name}, "spec": {"clusterIP": cluster_ip}}


def an_alias(name: str, of: str):
    return {"metadata": {"namespace": "shop", "name": name}, "spec": {"type": "ExternalName", "externalName": of}}


def endpoints_of(service: str, *addresses: str, hostname: str = "", ready: bool = True):
    return {
        "metadata": {"namespace": "shop", "name": "x", "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [a], "hostname": hostname, "conditions": {"ready": ready}} for a in addresses],
    }


def names() -> Names:
    aliases = {
        "shown": "front.shop.svc.cluster.local.",
        "twice": "Shown.shop.svc.cluster.local",
        "outside": "istio.io",
        "round": "round.shop.svc.cluster.local",
    }
    services = Mirror(
        a_service("front", "10.96.0.7"), a_service("db", "None"), *(an_alias(*alias) for alias in aliases.items())
    )
    return Names(services, Mirror(endpoints_of("db", "10.11.0.5", hostname="db-0")))


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("front.shop.svc.cluster.local", ["10.96.0.7"]),
        ("db.shop.svc.cluster.local", ["10.11.0.5"]),
        ("db-0.db.shop.svc.cluster.local", ["10.11.0.5"]),
        ("10-11-0-9.shop.pod.cluster.local", ["10.11.0.9"]),
        ("172-31-0-101.lb.lab", ["172.31.0.101"]),
        ("8-8-8-8.lb.lab", None),
        ("db-1.db.shop.svc.cluster.local", None),
        ("front.shop.svc.cluster.local.shop.svc.cluster.local", None),
        ("front.other.svc.cluster.local", None),
        ("istio.io", None),
        ("shown.shop.svc.cluster.local", ["front.shop.svc.cluster.local", "10.96.0.7"]),
        (
            "twice.shop.svc.cluster.local",
            ["Shown.shop.svc.cluster.local", "front.shop.svc.cluster.local", "10.96.0.7"],
        ),
        ("outside.shop.svc.cluster.local", ["istio.io"]),
        ("round.shop.svc.cluster.local", ["round.shop.svc.cluster.local"] * 8),
        ("host.shown.shop.svc.cluster.local", None),
    ],
)
def test_a_name_means(name, addresses):
    found = names().lookup(name)
    assert (None if found is None else [str(a) for a in found]) == addresses


def a_question(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", kind, 1)


def test_an_answer_carries_the_question_and_the_address():
    message = answer(a_question("front.shop"), lambda name: [IPv4Address("10.96.0.7")])
    assert struct.unpack(">6H", message[:12]) == (7, 0x8580, 1, 1, 0, 0)
    assert message[-4:] == IPv4Address("10.96.0.7").packed


def test_a_name_without_an_address_of_that_kind_still_exists():
    message = answer(a_question("front.shop", kind=28), lambda name: [IPv4Address("10.96.0.7")])
    assert struct.unpack(">6H", message[:12]) == (7, 0x8580, 1, 0, 0, 0)


@pytest.mark.parametrize(("kind", "count"), [(1, 2), (28, 1), (5, 1)], ids=["A", "AAAA", "CNAME"])
def test_an_alias_is_told_for_every_type_and_its_address_is_the_other_names(kind, count):
    question = a_question("shown.shop", kind)
    message = answer(question, lambda name: ["front.shop", IPv4Address("10.96.0.7")])
    other = b"\5front\4shop\0"
    alias = b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 5, len(other)) + other
    address = other + struct.pack(">HHIH", 1, 1, 5, 4) + IPv4Address("10.96.0.7").packed
    assert struct.unpack(">6H", message[:12]) == (7, 0x8580, 1, count, 0, 0)
    assert message[len(question) :] == (alias + address if kind == 1 else alias)


def test_an_unknown_name_does_not_exist():
    assert struct.unpack(">6H", answer(a_question("istio.io"), lambda name: None)[:12])[1] == 0x8583


def test_a_service_keeps_its_address_and_the_next_one_gets_another():
    pool = Pool(1)
    given = [pool.give(("shop", name)) for name in ("a", "b", "a")]
    assert [str(a) for a in given] == ["172.31.0.101", "172.31.1.1", "172.31.0.101"]


def test_the_address_of_a_deleted_service_is_given_again():
    pool = Pool(1)
    first = pool.give(("shop", "a"))
    assert pool.release_all_but([]) == [first]
    assert pool.give(("shop", "b")) == first


def test_an_address_that_was_given_by_an_earlier_run_is_not_given_twice():
    pool = Pool(2)
    pool.keep(("shop", "a"), IPv4Address("172.31.0.102"))
    assert [str(pool.give(("shop", n))) for n in ("b", "a")] == ["172.31.2.1", "172.31.0.102"]


def test_a_host_name_leads_back_to_its_address():
    assert address_of(hostname_of(IPv4Address("172.31.3.4"))) == IPv4Address("172.31.3.4")
