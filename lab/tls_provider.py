"""Stands in for pulumi-tls, with the one resource that the product needs: `tls.PrivateKey`.

The keys are real; the properties are named, defaulted and kept secret as pulumi-tls does it (Source: the
schema in pulumi-tls 5.6.2). It is used only on a machine where the real plugin is absent.
"""

import base64
import hashlib
import sys
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pulumi.provider.experimental import provider as pulumi_provider
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import Provider
from pulumi.provider.experimental.server import main
from pulumi.runtime.rpc import UNKNOWN

from lab.programs import TLS_PROVIDER

_TYPE = "tls:index/privateKey:PrivateKey"
_INPUTS = ("algorithm", "ecdsaCurve", "rsaBits")
_PRIVATE = ("privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh")
_PUBLIC = ("publicKeyPem", "publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256")
_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P224": ec.SECP224R1,
    "P256": ec.SECP256R1,
    "P384": ec.SECP384R1,
    "P521": ec.SECP521R1,
}
_DEFAULTS: dict[str, str | float] = {"ecdsaCurve": "P224", "rsaBits": 2048.0}

Properties = dict[str, PropertyValue]
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class TlsProvider(Provider):
    """Check, diff and create of a key; reading and deleting change nothing, for a key is only state."""

    async def check(self, request: pulumi_provider.CheckRequest) -> pulumi_provider.CheckResponse:
        """Refuses what pulumi-tls refuses; keeps the inputs as they are."""
        inputs = {k: v for k, v in request.new_inputs.items() if v.value is not None}
        return pulumi_provider.CheckResponse(inputs=inputs, failures=_failures(_own_type(request.type), inputs))

    async def diff(self, request: pulumi_provider.DiffRequest) -> pulumi_provider.DiffResponse:
        """Any change of an input means another key."""
        changed = [
            name
            for name in _INPUTS
            if name not in request.ignore_changes
            and _plain(request.old_state, name) != _plain(request.new_inputs, name)
        ]
        return pulumi_provider.DiffResponse(changes=bool(changed), replaces=changed, diffs=changed)

    async def create(self, request: pulumi_provider.CreateRequest) -> pulumi_provider.CreateResponse:
        """Generates the key; in a preview its outputs are unknown."""
        if request.preview:
            unknown = {n: PropertyValue(UNKNOWN, is_secret=n in _PRIVATE) for n in (*_PRIVATE, *_PUBLIC)}
            return pulumi_provider.CreateResponse(resource_id="", properties={**request.properties, **unknown})
        settings = {name: _plain(request.properties, name) for name in _INPUTS}
        values = describe(generate(settings))
        outputs = {n: PropertyValue(v, is_secret=n in _PRIVATE) for n, v in values.items()}
        # The id is the SHA-1 of the public key in pulumi-tls as well.
        return pulumi_provider.CreateResponse(
            resource_id=hashlib.sha1(values["publicKeyPem"].encode()).hexdigest(),
            properties={**{n: PropertyValue(v) for n, v in settings.items()}, **outputs},
        )

    async def read(self, request: pulumi_provider.ReadRequest) -> pulumi_provider.ReadResponse:
        """A key can't change outside of its state."""
        return pulumi_provider.ReadResponse(request.resource_id, request.properties, request.inputs)

    async def delete(self, request: pulumi_provider.DeleteRequest) -> None:
        """Forgets the key."""
        return None


def generate(settings: dict[str, Any]) -> Key:
    """A new key; `settings` are valid inputs of the resource with the defaults filled in."""
    if settings["algorithm"] == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=int(settings["rsaBits"]))
    if settings["algorithm"] == "ECDSA":
        return ec.generate_private_key(_CURVES[settings["ecdsaCurve"]]())
    return ed25519.Ed25519PrivateKey.generate()


def describe(key: Key) -> dict[str, str]:
    """Every output of the resource; the OpenSSH ones are empty for P224, which OpenSSH doesn't know."""
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private, public = serialization.PrivateFormat, serialization.PublicFormat
    traditional = private.PKCS8 if isinstance(key, ed25519.Ed25519PrivateKey) else private.TraditionalOpenSSL
    described = {
        "privateKeyPem": key.private_bytes(pem, traditional, plain).decode(),
        "privateKeyPemPkcs8": key.private_bytes(pem, private.PKCS8, plain).decode(),
        "privateKeyOpenssh": "",
        "publicKeyPem": key.public_key().public_bytes(pem, public.SubjectPublicKeyInfo).decode(),
        "publicKeyOpenssh": "",
        "publicKeyFingerprintMd5": "",
        "publicKeyFingerprintSha256": "",
    }
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP224R1):
        return described
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, public.OpenSSH)
    blob = base64.b64decode(line.split()[1])
    md5 = hashlib.md5(blob).hexdigest()
    sha256 = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return {
        **described,
        "privateKeyOpenssh": key.private_bytes(pem, private.OpenSSH, plain).decode(),
        "publicKeyOpenssh": line.decode() + "\n",
        "publicKeyFingerprintMd5": ":".join(md5[i : i + 2] for i in range(0, len(md5), 2)),
        "publicKeyFingerprintSha256": f"SHA256:{sha256}",
    }


def _own_type(kind: str) -> str:
    """Returns a resource's type without those of the components around it, which this SDK leaves in front."""
    return kind.rpartition("$")[2]


def _failures(kind: str, inputs: Properties) -> list[pulumi_provider.CheckFailure]:
    if kind != _TYPE:
        return [pulumi_provider.CheckFailure("", f"the lab's stand-in for pulumi-tls has no {kind}, only {_TYPE}")]
    allowed: dict[str, tuple[str, ...]] = {"algorithm": ("RSA", "ECDSA", "ED25519"), "ecdsaCurve": tuple(_CURVES)}
    found = [
        pulumi_provider.CheckFailure(name, f"must be one of {', '.join(values)}")
        for name, values in allowed.items()
        if name in inputs and not _unknown(inputs[name]) and inputs[name].value not in values
    ]
    if "algorithm" not in inputs:
        found.append(pulumi_provider.CheckFailure("algorithm", "is missing"))
    return found


def _unknown(value: PropertyValue) -> bool:
    # How it looks on the wire: SDK 3.259 can neither read nor write its own PropertyValue.computed().
    return value.value == UNKNOWN


def _plain(properties: Properties, name: str) -> Any:
    """The value of an input, or the default that pulumi-tls writes into the outputs."""
    value = properties.get(name)
    return _DEFAULTS.get(name) if value is None or value.value is None else value.value


if __name__ == "__main__":
    main(sys.argv[1:], TLS_PROVIDER, TlsProvider())
