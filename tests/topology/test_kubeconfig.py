"""What is read from a kubeconfig, which ones are refused, and that nothing of one is ever repeated.

Whether its credentials are accepted can only be seen on a cluster.
"""

from __future__ import annotations

import pytest

from pulumi_istio_mesh.topology.kubeconfig import (
    KubeconfigError,
    api_server_problems,
    kubeconfig_problems,
    server_of,
)

from ..builders import TOKEN, a_kubeconfig

SECRET = "hunter2-in-a-kubeconfig"

USELESS = {
    "it is not YAML (line 2)": f"users: [{{token: {SECRET}\n}}}}: {SECRET}\n",
    "it is a path or a sentence, not the contents of a kubeconfig": f"~/.kube/{SECRET}",
    "it is not a mapping": f"- {SECRET}",
    "it has no current-context": a_kubeconfig().replace("current-context: here", f"token: {SECRET}"),
    "it has no entry of that name in contexts for its current context": a_kubeconfig().replace(
        "current-context: here", f"current-context: {SECRET}"
    ),
    "it has no entry of that name in clusters for its current context": a_kubeconfig().replace(
        "cluster: there", f"cluster: {SECRET}"
    ),
    "its current cluster has no server": a_kubeconfig().replace("server:", f"{SECRET}:"),
}


def test_the_server_is_that_of_the_current_context() -> None:
    text = a_kubeconfig("https://a.example").replace("clusters: [", "clusters: [{name: other, cluster: {server: x}}, ")
    assert server_of(text) == "https://a.example"


def test_a_kubeconfig_may_be_json() -> None:
    text = (
        '{"current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "b"}}],'
        ' "clusters": [{"name": "b", "cluster": {"server": "https://b.example"}}]}'
    )
    assert server_of(text) == "https://b.example"


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_kubeconfig_is_refused_and_never_the_ambient_one(text: str) -> None:
    (problem,) = kubeconfig_problems("clusters.east.kubeconfig", text)
    assert (problem.slug, problem.where) == ("kubeconfig-missing", "clusters.east.kubeconfig")
    assert problem.why.endswith("whatever cluster the shell's KUBECONFIG names")


@pytest.mark.parametrize(("finding", "text"), USELESS.items(), ids=USELESS)
def test_a_useless_kubeconfig_is_refused_without_repeating_any_of_it(finding: str, text: str) -> None:
    (problem,) = kubeconfig_problems("clusters.east.kubeconfig", text)
    assert problem.slug == "kubeconfig-invalid"
    assert problem.what == f"the kubeconfig cannot be used: {finding}"
    assert problem.fix.endswith("kubectl config view --raw --minify --flatten --context <context>")
    with pytest.raises(KubeconfigError) as caught:
        server_of(text)
    # A traceback would print the parser's own words, which may quote the line.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    said = f"{problem!r} {caught.value!r}"
    assert SECRET not in said
    assert TOKEN not in said


@pytest.mark.parametrize(
    "tree", ["contexts: here", "contexts: [here]", "clusters: {there: {}}", "contexts: [{name: 1}]"]
)
def test_a_kubeconfig_of_another_shape_is_refused_and_not_crashed_on(tree: str) -> None:
    kept = [line for line in a_kubeconfig().splitlines() if not line.startswith(tree.split(":")[0])]
    (problem,) = kubeconfig_problems("clusters.east.kubeconfig", "\n".join([*kept, tree]))
    assert problem.slug == "kubeconfig-invalid"


@pytest.mark.parametrize(
    "text",
    [
        a_kubeconfig().replace("context: {cluster: there, user: me}", "context: there"),
        a_kubeconfig().replace('cluster: {server: "https://192.0.2.1:6443"}', "cluster: there"),
        a_kubeconfig().replace("cluster: there, user", "cluster: [there], user"),
    ],
    ids=["a context that is text", "a cluster that is text", "a cluster name that is a list"],
)
def test_an_entry_of_another_shape_is_refused_and_not_crashed_on(text: str) -> None:
    (problem,) = kubeconfig_problems("clusters.east.kubeconfig", text)
    assert problem.slug == "kubeconfig-invalid"


@pytest.mark.parametrize("server", [f"https://admin:{SECRET}@192.0.2.1", f"https://192.0.2.1/?token={SECRET}"])
def test_a_credential_in_an_address_is_refused_without_repeating_it(server: str) -> None:
    (problem,) = api_server_problems("clusters.east.api_server", server)
    assert problem.what == "the given URL holds more than a host, a port and a path"
    assert SECRET not in repr(problem)


def test_an_address_from_a_kubeconfig_is_said_to_come_from_there() -> None:
    (problem,) = api_server_problems("clusters.east.api_server", "https://127.0.0.1", from_kubeconfig=True)
    assert problem.what == (
        "https://127.0.0.1 (from its kubeconfig) is the loopback address of each machine that dials it"
    )


@pytest.mark.parametrize(
    "server",
    ["https://192.0.2.1", "https://a.example:443", "https://a.example/k8s/clusters/c-1", "https://[fd00::1]:6443"],
)
def test_an_address_that_peers_can_dial_is_allowed(server: str) -> None:
    assert list(api_server_problems("clusters.east.api_server", server)) == []
