"""Arguments that a program gives wrongly, refused before anything is registered."""

from __future__ import annotations

import pytest

from pulumi_istio_mesh import Mesh

from ..builders import program_args
from .recorder import record
from .test_arguments import CACERTS, changed, refused


def test_a_clusters_fact_that_is_none_is_left_out() -> None:
    facts = {"network": None, "pod_cidr": None, "values": None, "api_server": None, "cacerts": None, "protect": None}
    assert record(lambda: Mesh("prod", changed(facts))).error is None


def test_a_kubeconfig_that_is_no_text_is_refused() -> None:
    assert refused(changed({"kubeconfig": {"a": "b"}})) == [("kubeconfig-invalid", "clusters.east.kubeconfig")]


@pytest.mark.parametrize("missing", CACERTS)
def test_a_part_of_given_certificates_that_is_missing_is_refused(missing: str) -> None:
    parts = {key: value for key, value in CACERTS.items() if key != missing}
    clusters = {"east": {"cacerts": parts}, "west": {"cacerts": CACERTS}}
    found = refused(program_args(trust={"kind": "given"}, clusters=clusters))
    assert found == [("trust-mixed", f"clusters.east.cacerts.{missing}")]


def test_given_certificates_that_are_no_mapping_are_refused() -> None:
    clusters = {"east": {"cacerts": "PEM"}, "west": {"cacerts": CACERTS}}
    found = refused(program_args(trust={"kind": "given"}, clusters=clusters))
    assert found == [("trust-mixed", "clusters.east.cacerts")]
