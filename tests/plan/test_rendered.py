"""In which folder an object lies, so that folders can be applied one after the other."""

from __future__ import annotations

import pytest

from pulumi_istio_mesh.plan.rendered import Folder, crds_folder, folder_of
from pulumi_istio_mesh.topology.names import is_dns_label


@pytest.mark.parametrize(
    ("kind", "name", "chart", "folder"),
    [
        ("Secret", "cacerts", None, Folder.SECRETS),
        ("Secret", "of-a-users-values", "east-west", Folder.SECRETS),
        ("Namespace", "istio-system", None, Folder.BASE),
        ("ServiceAccount", "probe", None, Folder.BASE),
        ("ServiceAccount", "istio-reader-service-account", "base", Folder.BASE),
        ("ValidatingWebhookConfiguration", "istiod-default-validator", "base", Folder.BASE),
        ("ServiceAccount", "istiod", "istiod", Folder.CONTROL_PLANE),
        ("Deployment", "istiod-b", "istiod-b", Folder.CONTROL_PLANE),
        ("MutatingWebhookConfiguration", "istio-revision-tag-default", None, Folder.CONTROL_PLANE),
        ("Deployment", "istiod", "istiod", Folder.CONTROL_PLANE),
        ("Service", "istiod", None, Folder.CONTROL_PLANE),
        ("EndpointSlice", "istiod", None, Folder.CONTROL_PLANE),
        ("Service", "istio-eastwestgateway", None, Folder.MESH),
        ("ServiceAccount", "istio-eastwestgateway", "east-west", Folder.MESH),
        ("PeerAuthentication", "default", None, Folder.MESH),
        ("Deployment", "probe", None, Folder.MESH),
    ],
)
def test_an_object_lies_where_what_it_needs_lies_before(
    kind: str, name: str, chart: str | None, folder: Folder
) -> None:
    assert folder_of(kind, name, chart) is folder


def test_folders_are_in_the_order_in_which_they_are_applied() -> None:
    assert [folder.value for folder in Folder] == ["1-base", "secrets", "2-control-plane", "3-mesh"]


def test_no_cluster_can_have_the_name_of_the_folder_of_crds() -> None:
    assert not is_dns_label(crds_folder("1.31.1"))
