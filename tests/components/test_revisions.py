"""Istiods of several revisions side by side: who serves what names none, and what waits for what."""

from __future__ import annotations

from typing import Any

from .meshes import SERVED, SERVED_APART, a_program
from .recorder import Recording, record, revealed

BOTH: dict[str, Any] = {"default": {"istio_version": "1.31.0"}, "next": {"istio_version": "1.31.1"}}


def serving(revision: str, **changes: Any) -> Recording:
    """A mesh with both revisions, one of which serves what names none."""
    tags = {"default": revision, **changes.pop("tags", {})}
    return record(a_program(**{"clusters": SERVED_APART, "revisions": BOTH, "revision_tags": tags, **changes}))


def inputs(recording: Recording, short: str) -> Any:
    return revealed(recording[short].inputs)


def test_each_revision_has_a_chart_of_its_own_at_its_version() -> None:
    recording = serving("default")
    for cluster in SERVED_APART:
        old, new = (inputs(recording, f"Chart prod-{cluster}-istiod{end}") for end in ("", "-next"))
        assert (old["version"], new["version"]) == ("1.31.0", "1.31.1")
        assert (old["name"], new["name"]) == ("istiod", "istiod-next")
        assert (old["values"].get("revision"), new["values"]["revision"]) == (None, "next")
        assert (old["values"]["global"]["tag"], new["values"]["global"]["tag"]) == ("1.31.0", "1.31.1")


def test_crds_are_of_the_newest_revision() -> None:
    assert inputs(serving("default"), "Release prod-east-crds")["version"] == "1.31.1"


def test_an_istiod_waits_for_the_config_of_its_own_revision() -> None:
    values = inputs(serving("default"), "Chart prod-east-istiod-next")["values"]
    names = [source["configMap"]["name"] for source in values["volumes"][0]["projected"]["sources"]]
    assert names == ["istio-next", "istio-sidecar-injector-next"]


def test_a_tag_moves_by_one_write_of_one_object() -> None:
    names = {}
    for revision in BOTH:
        recording = serving(revision)
        webhook = inputs(recording, "MutatingWebhookConfiguration prod-east-tag-default")
        services = {hook["clientConfig"]["service"]["name"] for hook in webhook["webhooks"]}
        labels = webhook["metadata"]["labels"]
        names[revision] = (webhook["metadata"]["name"], services, labels["istio.io/rev"], labels["istio.io/tag"])
    assert names == {
        "default": ("istio-revision-tag-default", {"istiod"}, "default", "default"),
        "next": ("istio-revision-tag-default", {"istiod-next"}, "next", "default"),
    }


def test_no_other_webhook_injects_what_names_no_revision() -> None:
    recording = serving("next")
    assert inputs(recording, "Chart prod-east-istiod")["values"]["global"]["operatorManageWebhooks"] is True
    assert "MutatingWebhookConfigurationPatch prod-east-injector" not in recording


def test_a_tag_moves_once_the_istiod_behind_it_is_there_and_gateways_after_it() -> None:
    recording = serving("next")
    assert "Chart prod-east-istiod-next" in recording["MutatingWebhookConfiguration prod-east-tag-default"].after
    assert "MutatingWebhookConfiguration prod-east-tag-default" in recording["PeerAuthentication prod-east-mtls"].after
    assert "PeerAuthentication prod-east-mtls" in recording["Chart prod-east-east-west"].after


def test_istio_objects_are_shown_to_the_istiod_that_serves_once_it_is_there() -> None:
    recording = serving("next")
    assert inputs(recording, "Chart prod-east-base")["values"]["defaultRevision"] == "next"
    assert "Chart prod-east-istiod-next" in recording["Chart prod-east-base"].after


def test_gateways_probes_and_gates_are_made_anew_when_another_revision_serves() -> None:
    old, new = serving("default"), serving("next")
    for recording, revision in ((old, None), (new, "next")):
        assert inputs(recording, "Chart prod-east-east-west")["values"].get("revision") == revision
        for short in ("Deployment prod-east-probe", "Job prod-east-mesh"):
            labels = inputs(recording, short)["spec"]["template"]["metadata"]["labels"]
            assert labels.get("istio.io/rev") == revision
            assert labels["sidecar.istio.io/inject"] == "true"


def test_a_gateways_service_is_the_same_whatever_the_revision() -> None:
    shown = [inputs(serving(revision), "Service prod-east-east-west") for revision in BOTH]
    assert shown[0] == shown[1]


def test_a_revision_that_serves_nobody_is_proved_by_a_gate_with_its_proxy() -> None:
    recording = serving("default")
    for cluster in SERVED_APART:
        job = inputs(recording, f"Job prod-{cluster}-mesh-next")
        assert job["metadata"]["name"] == "mesh-next"
        assert job["spec"]["template"]["metadata"]["labels"]["istio.io/rev"] == "next"
    assert not [row for row in serving("next") if row.name.endswith("-mesh-next")]


def test_a_remote_reaches_each_istiod_by_its_name_through_the_gateway() -> None:
    recording = serving("default")
    hosts = {"istiod.istio-system.svc", "istiod-next.istio-system.svc"}
    routes = inputs(recording, "VirtualService prod-east-istiod-routes")["spec"]["tls"]
    led = {
        (route["match"][0]["port"], *route["match"][0]["sniHosts"], route["route"][0]["destination"]["host"])
        for route in routes
    }
    assert led == {(port, host, f"{host}.cluster.local") for port in (15012, 15017) for host in hosts}
    for end in ("", "-next"):
        own = inputs(recording, f"EndpointSlice prod-west-istiod{end}")
        assert own["metadata"]["labels"]["kubernetes.io/service-name"] == f"istiod{end}"
        assert own["endpoints"][0]["addresses"] == ["198.51.100.7"]


def test_on_a_flat_network_each_istiod_has_a_load_balancer_of_its_own() -> None:
    recording = serving("default", clusters=SERVED)
    selectors = {
        end: inputs(recording, f"Service prod-east-istiod-remotes{end}")["spec"]["selector"] for end in ("", "-next")
    }
    assert selectors == {
        "": {"app": "istiod", "istio": "pilot"},
        "-next": {"app": "istiod", "istio.io/rev": "next"},
    }


def test_a_tag_in_a_remote_leads_to_the_primarys_istiod_by_the_remotes_own_path() -> None:
    recording = serving("default", tags={"stable": "next"})
    for cluster, path in (("east", "/inject"), ("west", "/inject/cluster/west/net/west")):
        (service, *others) = [
            hook["clientConfig"]["service"]
            for hook in inputs(recording, f"MutatingWebhookConfiguration prod-{cluster}-tag-stable")["webhooks"]
        ]
        assert (service["name"], service["path"]) == ("istiod-next", path)
        assert all(other == service for other in others)


def test_a_preview_shows_all_of_it() -> None:
    args = {"clusters": SERVED_APART, "revisions": BOTH, "revision_tags": {"default": "next"}}
    shown = record(a_program(**args), preview=True)
    assert {row.short for row in shown} == {row.short for row in record(a_program(**args))}
