// Three clusters on three networks become one Istio mesh.
import * as istio from "@pulumi/istio-mesh";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
// A cluster's kubeconfig is the secret of its name: pulumi config set --secret c1 < c1.kubeconfig
const cluster = (name: string) => ({ kubeconfig: config.requireSecret(name) });

const mesh = new istio.Mesh("horizon", {
  meshId: "horizon",
  istioVersion: "1.31.0",
  chartSource: config.require("chartSource"),
  imageHub: config.require("imageHub"),
  trust: { roots: [{ issued: "2026-11-23" }] },
  // After each change calls are made between all clusters; what fails is tried again for so long.
  verify: { timeoutSeconds: 20 },
  // Each cluster is on a network of its own (named like it), so calls between them go through east-west gateways.
  clusters: { c1: cluster("c1"), c2: cluster("c2"), c3: cluster("c3") },
});

export const gateways = mesh.gateways;
export const remote_secrets = mesh.remoteSecrets;
export const root_cert_pem = mesh.rootCertPem;
export const root_fingerprints = mesh.rootFingerprints;
export const certificate_expiry = mesh.certificateExpiry;
