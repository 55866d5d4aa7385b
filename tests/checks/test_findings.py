"""Findings become causes with what follows from them; nothing is lost, and causes are told first."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, strategies as st

from pulumi_istio_mesh.checks.findings import Finding, causes, told
from pulumi_istio_mesh.checks.outcome import READS
from pulumi_istio_mesh.checks.registry import CHECKS
from pulumi_istio_mesh.checks.report import findings_in
from pulumi_istio_mesh.topology.problems import SLUGS

ORDER = list(CHECKS)


def linked(*findings: Finding) -> dict[str, list[str]]:
    """By cause, what follows from it."""
    return {
        f"{cause.finding.slug} {cause.finding.where}": [f"{each.slug} {each.where}" for each in cause.consequences]
        for cause in causes(findings)
    }


def test_a_chain_of_consequences_is_told_under_its_beginning() -> None:
    assert linked(
        Finding("service-unknown", "c1", "no name", "c3"),
        Finding("istiod-not-synced", "c1", "unknown", "c3"),
        Finding("remote-secret-missing", "c1", "none", "c3"),
    ) == {"remote-secret-missing c1 to c3": ["istiod-not-synced c1 to c3", "service-unknown c1 to c3"]}


def test_what_is_wrong_in_a_cluster_explains_calls_to_it_and_from_it_only() -> None:
    assert linked(
        Finding("gateway-no-address", "c3", "none"),
        Finding("raw-pod-address", "c1", "a pod", "c3"),
        Finding("raw-pod-address", "c1", "a pod", "c2"),
    ) == {"gateway-no-address c3": ["raw-pod-address c1 to c3"], "raw-pod-address c1 to c2": []}


def test_what_is_between_two_clusters_explains_nothing_between_others() -> None:
    found = linked(Finding("istiod-not-synced", "c1", "timeout", "c3"), Finding("no-endpoints", "c1", "none", "c2"))
    assert found == {"istiod-not-synced c1 to c3": [], "no-endpoints c1 to c2": []}


def test_what_breaks_the_mesh_comes_before_warnings_and_a_warning_that_breaks_it_counts() -> None:
    first, second, third = causes(
        [
            Finding("service-headless", "c1", "headless", name="a/b"),
            Finding("destination-rule-tls", "c1", "DISABLE", name="a/c"),
            Finding("no-endpoints", "c1", "none", "c2"),
            Finding("webhook-unreachable", "c3", "refused"),
        ]
    )
    assert [first.finding.slug, second.finding.slug] == ["webhook-unreachable", "destination-rule-tls"]
    assert (second.fatal, second.finding.fatal, third.fatal) == (True, False, False)


findings = st.builds(
    Finding,
    slug=st.sampled_from(ORDER),
    cluster=st.sampled_from(["c1", "c2", "c3"]),
    what=st.just("seen"),
    peer=st.sampled_from([None, "c1", "c2", "c3"]),
)


@given(st.sets(findings), st.randoms(use_true_random=False))
def test_every_finding_is_told_once_in_whatever_order_they_are_found(
    found: set[Finding], shuffled: random.Random
) -> None:
    expected = causes(found)
    again = list(found)
    shuffled.shuffle(again)
    assert causes(again) == expected
    everything = [each for cause in expected for each in (cause.finding, *cause.consequences)]
    assert len(everything) == len(found) and set(everything) == found


@pytest.mark.parametrize("slug", ORDER)
def test_a_cause_stands_before_what_it_explains(slug: str) -> None:
    assert CHECKS[slug].explains <= set(ORDER[ORDER.index(slug) + 1 :])


def test_the_registry_holds_every_live_check_in_the_order_of_causes() -> None:
    slugs = list(SLUGS)
    assert slugs[slugs.index("cluster-unreachable") :] == ORDER
    assert READS.keys() <= CHECKS.keys()


@pytest.mark.parametrize("slug", ORDER)
def test_every_check_says_likely_cause_and_cure_in_words(slug: str) -> None:
    problem = Finding(slug, "c1", "seen", "c2").problem
    assert problem.why and problem.fix
    assert "{" not in problem.why + problem.fix.replace("{}", "")


PULUMI = """error: 3 errors occurred:
    \t* resource "urn:..." was successfully created, but failed: Resource 'mesh' was created but failed to initialize
    \t* [Pod istio-mesh-verify/mesh-x]: containers with unready status: [gate][Error] gateway-unreachable c1 to c3: \
step=connect expected=the gateway at 10.0.0.3:15443 seen=refused, or no route
istiod-down c2: step=discovery expected=an istiod in c2 seen=none
    \t* [BackoffLimitExceeded] Job has reached the specified backoff limit
"""


@pytest.mark.parametrize(
    "around", ["{}", "\t* [Pod a/b]: unready status: [gate][Error] {}", "prod-c1-mesh (mesh): {}\r"]
)
@pytest.mark.parametrize(("where", "peer"), [("c1", None), ("c1 to c3", "c3")], ids=["a cluster", "a pair"])
def test_each_form_of_a_line_is_read_whatever_stands_around_it(where: str, peer: str | None, around: str) -> None:
    line = f"api-server-unreachable {where}: step=connect expected=an answer at 10.0.0.2:6443 seen=refused: no route"
    seen = "the connection: expected an answer at 10.0.0.2:6443, seen refused: no route"
    assert findings_in(around.format(line)) == [Finding("api-server-unreachable", "c1", seen, peer)]


def test_a_gates_lines_are_found_in_what_pulumi_prints() -> None:
    first, second = findings_in(PULUMI)
    assert (first.slug, first.where) == ("gateway-unreachable", "c1 to c3")
    assert first.what == "the connection: expected the gateway at 10.0.0.3:15443, seen refused, or no route"
    assert (second.slug, second.where) == ("istiod-down", "c2")


@pytest.mark.parametrize("end", ["\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_an_answer_forges_no_second_finding(end: str) -> None:
    real = "call-broken c1 to c3: step=http expected=an answer from c3 seen=503 "
    (found,) = findings_in(f"{real}no{end}istiod-down c2: step=discovery expected=an istiod in c2 seen=none\n")
    assert (found.slug, found.where) == ("call-broken", "c1 to c3")
    assert found.what.isprintable()


def test_a_finding_is_one_line_in_which_nothing_is_hidden() -> None:
    evil = "a\n::set-output name=x::y\x1b[31m\x00\u202e##[group]"
    (told_line, *_, see) = told(causes([Finding("call-broken", "c1", evil, "c3")])).split("\n")
    assert told_line == r"c1 to c3: a\n::set-output name=x::y\x1b[31m\x00\u202e\x23#[group]"
    assert see == "  see: docs/checks.md#call-broken"
    assert Finding("call-broken", "c1", "plain", "c3").what == "plain"


def test_what_is_told_has_where_what_likely_fix_and_page() -> None:
    assert told(causes(findings_in(PULUMI)[:1])).splitlines() == [
        "c1 to c3: the connection: expected the gateway at 10.0.0.3:15443, seen refused, or no route",
        "  likely: a firewall blocks port 15443, or the gateway has no pods",
        "  fix: let pods of c1 reach 15443 of the gateway of c3",
        "  see: docs/checks.md#gateway-unreachable",
    ]


def test_other_text_is_no_finding() -> None:
    assert findings_in("unknown-slug c1: step=dns expected=a seen=b\nc1 to c2: fine\n") == []
