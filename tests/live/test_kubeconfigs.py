"""Kubeconfigs as people have them, each with the real connecting library against a server on loopback.

A cluster is read, or it is told why not: never a traceback, never a value of the kubeconfig, never what its plugin
says, and never at the cost of the other clusters.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import ipaddress
import os
import ssl
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pulumi_istio_mesh import cli
from pulumi_istio_mesh.live.api import CannotRead, ClusterApi
from pulumi_istio_mesh.live.preflight import look_before
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import mesh_tree
from .servers import Server, serving

SECRET = "hunter2-in-a-kubeconfig"
TOKEN = "a-token-that-works"

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for 127.0.0.1 and its key, by which server and client know each other."""
    folder = tmp_path_factory.mktemp("pair")
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")]), dt.datetime.now(dt.timezone.utc)
    names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("api.example")]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "tls.key").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return folder


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as up:
        yield up


@pytest.fixture
def trusted(pair: Path) -> Iterator[Server]:
    """A server with TLS that asks for a client's certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair / "tls.crt", pair / "tls.key")
    tls.load_verify_locations(pair / "tls.crt")
    tls.verify_mode = ssl.CERT_OPTIONAL
    with serving(Server(), tls) as up:
        yield up


def changed(server: Server, *changes: Change) -> str:
    """The server's kubeconfig, with changes of its tree."""
    tree = yaml.safe_load(server.kubeconfig)
    tree["users"][0]["user"]["token"] = TOKEN
    for change in changes:
        change(tree)
    return yaml.safe_dump(tree)


def read(text: str, folder: Path | None = None, context: str | None = None, deadline: float = 5) -> str:
    """The version that is read by a kubeconfig, or why there is none."""

    async def ask() -> str:
        return (await ClusterApi(text, context, folder=folder, deadline=deadline).version())[0]

    try:
        return asyncio.run(ask())
    except CannotRead as error:
        assert error.__cause__ is None
        return str(error)


def cluster(**facts: Any) -> Change:
    return lambda tree: tree["clusters"][0]["cluster"].update({key.replace("_", "-"): v for key, v in facts.items()})


def user(**facts: Any) -> Change:
    """The user with these facts and no others."""

    def change(tree: dict[str, Any]) -> None:
        tree["users"][0]["user"] = {key.replace("_", "-"): value for key, value in facts.items()}

    return change


def plugin(script: str, **facts: Any) -> Change:
    """A user with a plugin that is a shell script."""
    return user(
        exec={
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "sh",
            "args": ["-c", script],
            "interactiveMode": "Never",
            **facts,
        }
    )


def whole(**facts: Any) -> Change:
    return lambda tree: tree.update({key.replace("_", "-"): value for key, value in facts.items()})


def gives(token: str) -> str:
    status = f'{{"apiVersion": "client.authentication.k8s.io/v1", "status": {{"token": "{token}"}}}}'
    return f"echo '{status}'"


GOOD: dict[str, Change] = {
    "a token": lambda tree: None,
    "nobody": whole(users=[], contexts=[{"name": "c", "context": {"cluster": "c"}}]),
    "a plugin": plugin(gives(TOKEN)),
    "a plugin that says a lot besides": plugin(f"echo {SECRET} >&2; {gives(TOKEN)}"),
    "a plugin of the version before": plugin(gives(TOKEN), apiVersion="client.authentication.k8s.io/v1beta1"),
    "a plugin with an environment": plugin(
        """printf '{"status": {"token": "%s"}}' "$T" """, env=[{"name": "T", "value": TOKEN}]
    ),
    "a token and a plugin that fails": lambda tree: tree["users"][0]["user"].update(
        exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}
    ),
    "an OIDC token": user(auth_provider={"name": "oidc", "config": {"id-token": TOKEN}}),
    "other clusters, users and contexts, misshapen": lambda tree: [
        tree[kind].insert(0, other) for kind in ("clusters", "users", "contexts") for other in ({"name": "x"}, None, 1)
    ],
    "a namespace and preferences": whole(
        preferences={}, contexts=[{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "n"}}]
    ),
}  # fmt: skip

NOT_THERE = "names a file that is not there; paths are relative to the kubeconfig"
NO_URL = "is not the URL of a host, by https or http"
BAD: dict[str, tuple[Change, str]] = {
    # Of the whole.
    "no current context": (whole(current_context=""), "it has no current-context"),
    "no such context": (whole(current_context=SECRET), "no entry of that name in contexts"),
    "no contexts": (whole(contexts=None), "no entry of that name in contexts"),
    "contexts that are a mapping": (whole(contexts={"c": {}}), "no entry of that name in contexts"),
    "a context that is text": (whole(contexts=["c"]), "no entry of that name in contexts"),
    "a context without a cluster": (whole(contexts=[{"name": "c", "context": {"user": "u"}}]), "in clusters"),
    "a context that is empty": (whole(contexts=[{"name": "c"}]), "in clusters"),
    "no clusters": (whole(clusters=[]), "in clusters"),
    "no users": (whole(users=None), "no entry of that name in users"),
    "users that are a mapping": (whole(users={"u": {"token": SECRET}}), "no entry of that name in users"),
    # Of the cluster.
    "no server": (cluster(server=None), "no server"),
    "a server that is a number": (cluster(server=6443), "its server is not text"),
    "a server that is a list": (cluster(server=[SECRET]), "its server is not text"),
    "a bare IPv6 URL": (cluster(server="https://fd00::1:6443"), NO_URL),
    "a broken IPv6 URL": (cluster(server=f"https://[fd00::1/{SECRET}"), NO_URL),
    "a server without a scheme": (cluster(server="127.0.0.1:6443"), NO_URL),
    "a server of another scheme": (cluster(server=f"ssh://{SECRET}"), NO_URL),
    "a server without a host": (cluster(server=f"https:///{SECRET}"), NO_URL),
    "a server with a line break": (cluster(server="https://127.0.0.1\n:6443"), NO_URL),
    "a server with port 99999": (cluster(server="https://127.0.0.1:99999"), NO_URL),
    "a server that is not there": (cluster(server="http://127.0.0.1:1"), "no connection: Connection refused"),
    "a server whose name is not known": (cluster(server=f"http://{SECRET}.invalid"), "is not known here"),
    "a server without TLS": (
        lambda tree: tree["clusters"][0]["cluster"].update(
            server=tree["clusters"][0]["cluster"]["server"].replace("http:", "https:")
        ),
        "TLS can't be used: ",
    ),
    "an authority that is not there": (cluster(certificate_authority=SECRET), NOT_THERE),
    "an authority that is a folder": (cluster(certificate_authority="/"), NOT_THERE),
    "an authority with a NUL": (cluster(certificate_authority=f"{SECRET}\0"), NOT_THERE),
    "an authority that is no base64": (cluster(certificate_authority_data=f"{SECRET}!"), "is not base64"),
    "an authority that is no PEM": (
        cluster(certificate_authority_data=base64.b64encode(SECRET.encode()).decode()),
        "TLS can't be used",
    ),
    "an authority that is bytes": (cluster(certificate_authority_data=b"\0"), "it is not YAML (line "),
    "a proxy by SOCKS": (cluster(proxy_url=f"socks5://{SECRET}"), "its proxy-url is not the URL"),
    "a proxy that is not there": (cluster(proxy_url=f"http://u:{SECRET}@127.0.0.1:1"), "no connection"),
    "a TLS name that is a list": (cluster(tls_server_name=[SECRET]), "its tls-server-name is not text"),
    # Of the user.
    "a token that is a number": (user(token=12345), "its token is not text"),
    "a token with a line break": (user(token=f"{SECRET}\n"), "characters that no header takes"),
    "a token in Cyrillic": (user(token=f"{SECRET}ж"), "characters that no header takes"),
    "a token file that is not there": (user(tokenFile=SECRET), NOT_THERE),
    "a name and a password": (user(username="u", password=SECRET), "since Kubernetes 1.19"),
    "an auth provider of a cloud": (
        user(auth_provider={"name": "gcp", "config": {"id-token": SECRET}}), "exec, a plugin",
    ),
    "an auth provider that is text": (user(auth_provider=SECRET), "exec, a plugin"),
    "an OIDC provider without a token": (user(auth_provider={"name": "oidc", "config": None}), "exec, a plugin"),
    "a certificate without a key": (user(client_certificate=sys.executable), "it has only one"),
    "a certificate that is not there": (user(client_certificate=SECRET, client_key=SECRET), NOT_THERE),
    "a certificate that is no base64": (user(client_certificate_data="!"), "is not base64"),
    "a certificate that is no PEM": (
        user(client_certificate_data="YQ==", client_key_data=base64.b64encode(SECRET.encode()).decode()),
        "TLS can't be used",
    ),
    "impersonation of no list": (user(token=TOKEN, as_groups=SECRET), "its as-groups is no list"),
    # Of its plugin.
    "a plugin that is not installed": (plugin("", command=SECRET), "its plugin can't be run: is it installed here?"),
    "a plugin that is not executable": (plugin("", command="/etc/hosts"), "its plugin can't be run"),
    "a plugin that fails": (plugin(f"echo {SECRET} >&2; echo {SECRET}; exit 3"), "its plugin failed (exit code 3)"),
    "a plugin that prints nothing": (plugin("true"), "printed no ExecCredential"),
    "a plugin that prints no JSON": (plugin(f"echo {SECRET}"), "printed no ExecCredential"),
    "a plugin that prints a list": (plugin(f"echo '[\"{SECRET}\"]'"), "printed no ExecCredential"),
    "a plugin without a status": (plugin(f"echo '{{\"token\": \"{SECRET}\"}}'"), "printed no ExecCredential"),
    "a plugin that prints no text": (plugin("printf '\\377'"), "printed no ExecCredential"),
    "a plugin with half a pair": (plugin('echo \'{"status": {"clientKeyData": "-----"}}\''), "it has only one"),
    "a plugin that never ends": (plugin("exec sleep 60"), "its plugin did not end in time"),
    "a plugin that asks somebody": (plugin(gives(SECRET), interactiveMode="Always"), "asks somebody at a terminal"),
    "a plugin of an old version": (
        plugin(gives(SECRET), apiVersion="client.authentication.k8s.io/v1alpha1"), "has another apiVersion",
    ),
    "a plugin that is text": (user(exec=SECRET), "has another apiVersion"),
    "a plugin without a command": (
        user(exec={"apiVersion": "client.authentication.k8s.io/v1"}), "its plugin has no command",
    ),
    "a plugin with args that are a number": (plugin("", args=1), "its plugin has no command, or args"),
    "a plugin with an environment that is text": (plugin("", env=[SECRET]), "its plugin has no command, or args"),
}  # fmt: skip


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_a_cluster_is_read_by_any_kubeconfig_that_kubectl_takes(change: Change, server: Server) -> None:
    assert read(changed(server, change)) == "v1.36.3"


@pytest.mark.parametrize(("change", "reason"), BAD.values(), ids=BAD)
def test_a_cluster_that_cant_be_read_is_told_why_without_any_value_of_the_kubeconfig(
    change: Change, reason: str, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    told = read(changed(server, change), deadline=2)
    assert reason in told
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
    assert SECRET not in told and TOKEN not in told


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[]", "~/.kube/config", "/etc/hosts", "- a", "1", f"a: [{SECRET}", "!!int ''", "a: *b", "a: \0",
        "{[]: 1}", "? {a: 1}\n: 2", f"users: !!bool {SECRET}", f"users: !!timestamp {SECRET}",
        f"users: !secret {SECRET}",
    ],
)  # fmt: skip
def test_what_is_no_kubeconfig_is_told_so_and_nobodys_else_is_used(
    text: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ambient").write_text(server.kubeconfig)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "ambient"))
    told = read(text)
    assert told.startswith("its kubeconfig can't be used: ")
    assert SECRET not in told
    assert server.asked == []


def test_a_file_of_a_token_goes_before_the_token_and_is_relative_to_the_kubeconfig(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert read(changed(server, user(token="another", tokenFile="token")), tmp_path) == "v1.36.3"
    assert {value for headers in server.headers for key, value in headers if key == "Authorization"} == {
        f"Bearer {TOKEN}"
    }
    (tmp_path / "token").write_text("\n")
    assert "is empty" in read(changed(server, user(tokenFile="token")), tmp_path)


def test_without_a_folder_paths_are_relative_to_the_current_one(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    text = changed(server, user(tokenFile="token"))
    assert NOT_THERE in read(text)
    monkeypatch.chdir(tmp_path)
    assert read(text) == "v1.36.3"


def test_a_plugin_beside_the_kubeconfig_is_run_and_one_on_the_path_is_looked_for_there(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "bin" / "gives-a-token"
    there.parent.mkdir()
    there.write_text(f"#!/bin/sh\n{gives(TOKEN)}\n")
    there.chmod(there.stat().st_mode | stat.S_IXUSR)
    assert read(changed(server, plugin("", command="bin/gives-a-token")), tmp_path) == "v1.36.3"
    assert "can't be run" in read(changed(server, plugin("", command="gives-a-token")), tmp_path)
    monkeypatch.setenv("PATH", str(there.parent), prepend=os.pathsep)
    assert read(changed(server, plugin("", command="gives-a-token")), tmp_path) == "v1.36.3"


def test_a_plugin_is_told_what_kubectl_would_tell_it_and_has_no_terminal(server: Server, tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = f'printf "%s" "$KUBERNETES_EXEC_INFO" > {told}; cat; {gives(TOKEN)}'
    extensions = [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "east"}}]
    assert read(changed(server, plugin(script, provideClusterInfo=True), cluster(extensions=extensions))) == "v1.36.3"
    info = yaml.safe_load(told.read_text())
    url = yaml.safe_load(server.kubeconfig)["clusters"][0]["cluster"]["server"]
    assert info == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": {"server": url, "config": {"audience": "east"}}},
    }


def test_a_plugin_is_run_once_however_often_its_cluster_is_asked(server: Server, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for script in (f"echo >> {runs}; {gives(TOKEN)}", f"echo >> {runs}; exit 1"):
        api = ClusterApi(changed(server, plugin(script)))

        async def ask(api: ClusterApi = api) -> list[object]:
            return await asyncio.gather(*(api.version() for _ in range(5)), return_exceptions=True)

        runs.write_text("")
        asyncio.run(ask())
        assert runs.read_text() == "\n"


def test_who_is_impersonated_is_who_reads(server: Server) -> None:
    facts = {"as": "jane", "as-uid": "7", "as-groups": ["a", "b"], "as-user-extra": {"Scope/x": ["y"]}}
    assert read(changed(server, user(token=TOKEN, **facts))) == "v1.36.3"
    sent = {(key.title(), value) for key, value in server.headers[-1] if key.title().startswith("Impersonate")}
    assert sent == {
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-Scope%2Fx", "y"),
    }


def test_who_is_impersonated_is_who_runs_a_command_and_what_it_prints_is_read(server: Server) -> None:
    server.printed = "all as expected\n" + 40_000 * "x"
    api = ClusterApi(changed(server, user(**{"as": "auditor", "as-groups": ["a", "b"]})))
    printed = asyncio.run(api.run("istio-mesh-verify", "probe-0", "probe", ["sh", "-c", "exit 1"]))
    assert printed == server.printed
    sent = [value for name, value in server.headers[-1] if name.lower().startswith("impersonate")]
    assert sent == ["auditor", "a", "b"]


def data(pair: Path, name: str) -> str:
    return base64.b64encode((pair / name).read_bytes()).decode()


def test_an_authority_may_be_a_file_beside_the_kubeconfig_data_or_none(trusted: Server, pair: Path) -> None:
    for facts in (
        {"certificate_authority": "tls.crt"},
        {"certificate_authority": str(pair / "tls.crt")},
        {"certificate_authority_data": data(pair, "tls.crt")},
        {"certificate_authority_data": (pair / "tls.crt").read_text()},
        {"certificate_authority_data": data(pair, "tls.crt"), "certificate_authority": SECRET},
        {"certificate_authority": "tls.crt", "tls_server_name": "api.example"},
        {"insecure_skip_tls_verify": True},
    ):
        assert read(changed(trusted, cluster(**facts)), pair) == "v1.36.3", facts
    assert "its certificate can't be verified: self" in read(changed(trusted), pair)
    other = cluster(certificate_authority="tls.crt", tls_server_name=SECRET)
    assert read(changed(trusted, other), pair) == "its certificate can't be verified: it is of another name"


def test_a_clients_certificate_may_be_two_files_data_or_a_plugins(trusted: Server, pair: Path) -> None:
    authority = cluster(certificate_authority="tls.crt")
    printed = {"clientCertificateData": (pair / "tls.crt").read_text(), "clientKeyData": (pair / "tls.key").read_text()}
    (pair / "printed").write_text(yaml.safe_dump({"status": printed}, default_flow_style=True, width=10**9))
    for change in (
        user(client_certificate="tls.crt", client_key="tls.key"),
        user(client_certificate_data=data(pair, "tls.crt"), client_key_data=data(pair, "tls.key")),
        user(client_certificate="tls.crt", client_key_data=(pair / "tls.key").read_text()),
        plugin(f"{sys.executable} -c 'import json, yaml; print(json.dumps(yaml.safe_load(open(\"{pair}/printed\"))))'"),
    ):
        assert read(changed(trusted, authority, change), pair) == "v1.36.3"


def test_no_key_stays_behind(trusted: Server, pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pairs = {"client_certificate_data": data(pair, "tls.crt"), "client_key_data": data(pair, "tls.key")}
    authority = cluster(certificate_authority_data=data(pair, "tls.crt"))
    assert read(changed(trusted, authority, user(**pairs))) == "v1.36.3"
    trusted.answers["/version"] = (401, {})
    assert "401" in read(changed(trusted, authority, user(**pairs)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([SECRET], "no API server"),
        (SECRET, "no API server"),
        ({"version": SECRET}, "no API server"),
        ((401, {}), "it does not accept the credential (401)"),
        ((403, {"message": SECRET}), "it answers 403"),
        ((503, SECRET), "it answers 503"),
    ],
)
def test_what_answers_otherwise_than_an_api_server_is_told_without_its_words(
    answer: Any, reason: str, server: Server
) -> None:
    server.answers["/version"] = answer
    told = read(changed(server))
    assert reason in told
    assert SECRET not in told


def test_a_list_that_is_none_is_told(server: Server) -> None:
    for answer in ({"items": [SECRET]}, {"items": SECRET}, {"items": [], "metadata": SECRET}, [SECRET]):
        server.answers["/api/v1/pods"] = answer
        with pytest.raises(CannotRead, match="no API server"):
            asyncio.run(ClusterApi(changed(server)).objects("/api/v1/pods"))


@pytest.mark.parametrize("name", ["a bare IPv6 URL", "an authority that is not there", "a plugin that fails"])
def test_one_bad_kubeconfig_hides_no_other_cluster(name: str, server: Server) -> None:
    topology = parse_topology(mesh_tree())
    server.answers["/version"] = {"gitVersion": "v1.20.0"}
    kubeconfigs = {"east": changed(server, BAD[name][0]), "west": changed(server)}
    members = dict.fromkeys(kubeconfigs, "m")
    found, unread = asyncio.run(look_before(topology, plan_mesh(topology), kubeconfigs, members))
    assert [(one.slug, one.cluster) for one in found] == [("kubernetes-version", "west")]
    assert BAD[name][1] in unread["east"]


# The command


def verified(folder: Path, *kubeconfigs: str) -> Result:
    (folder / "mesh.yaml").write_text(yaml.safe_dump(mesh_tree()))
    given = [f"--kubeconfig={one}" for one in kubeconfigs]
    return CliRunner().invoke(cli.main, ["verify", str(folder / "mesh.yaml"), "--json", "--deadline=5", *given])


def test_the_command_takes_paths_relative_to_each_kubeconfig_and_looks_at_the_others(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "token").write_text(TOKEN)
    (tmp_path / "elsewhere" / "west").write_text(changed(server, user(tokenFile="token")))
    (tmp_path / "east").write_text(changed(server, plugin(f"echo {SECRET} >&2; exit 1")))
    monkeypatch.chdir(tmp_path)
    done = verified(tmp_path, "east=east", "west=elsewhere/west")
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert "its plugin failed (exit code 1)" in done.output
    assert SECRET not in done.output
    assert any(("Authorization", f"Bearer {TOKEN}") in headers for headers in server.headers)


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (f"east=users: [{{token: {SECRET}}}]\nkind: Config", "with a line break in it: write CLUSTER=PATH"),
        (f"users: [{{token: {SECRET}}}]\n", "with a line break in it: write CLUSTER=PATH"),
        ("east=" + "x" * 5000, "can't be read"),
        ("east=~nobody-of-that-name/config", "can't be read: RuntimeError"),
        ("east=.", "can't be read: IsADirectoryError"),
    ],
    ids=["a kubeconfig", "a kubeconfig without a cluster", "a long name", "no such home", "a folder"],
)
def test_what_is_no_path_of_a_kubeconfig_is_bad_use(one: str, told: str, tmp_path: Path) -> None:
    done = verified(tmp_path, one, "west=/nowhere")
    assert done.exit_code == 2
    assert told in done.output
    assert SECRET not in done.output
