"""What installers of Istio are told, as their own documentation and samples have it."""

from __future__ import annotations

BANZAI = """\
apiVersion: istio.banzaicloud.io/v1beta1
kind: Istio
metadata:
  labels: {controller-tools.k8s.io: "1.0"}
  name: mesh
  namespace: istio-system
spec:
  version: "1.10.4"
  meshID: shop
  clusterName: central
  networkName: network1
  trustDomain: shop.example
  meshPolicy: {mtlsMode: STRICT}
  autoMtls: true
  includeIPRanges: "*"
  autoInjectionNamespaces: [default, shop]
  meshExpansion: true
  istiod: {enabled: true, multiClusterSupport: true}
  pilot:
    image: docker.io/istio/pilot:1.10.4
    minReplicas: 2
    maxReplicas: 5
    resources: {requests: {cpu: 500m, memory: 2048Mi}}
    additionalEnvVars:
    - {name: PILOT_ENABLE_STATUS, value: "true"}
    - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: VAULT_TOKEN, value: hunter2hunter2}
  gateways:
    ingress: {enabled: true, replicaCount: 2, serviceType: LoadBalancer}
    egress: {enabled: false}
  proxy:
    image: docker.io/istio/proxyv2:1.10.4
    logLevel: warning
    accessLogFile: /dev/stdout
    resources: {limits: {cpu: "2", memory: 1024Mi}}
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
  tracing:
    enabled: true
    tracer: lightstep
    lightstep: {address: "lightstep-satellite.lightstep:9292", accessToken: hunter2hunter2}
  localityLB: {enabled: true, failover: [{from: eu-west, to: eu-east}]}
  imagePullSecrets: [{name: registry}]
  jwtPolicy: third-party-jwt
---
apiVersion: istio.banzaicloud.io/v1beta1
kind: RemoteIstio
metadata: {name: plant}
spec:
  istioControlPlane: {name: mesh}
  enabledServices:
  - {name: istio-pilot, labelSelector: istio=pilot}
  autoInjectionNamespaces: [default]
  includeIPRanges: "*"
  sidecarInjector: {enabled: true, replicaCount: 1, rewriteAppHTTPProbe: true}
  proxy: {logLevel: warning}
---
apiVersion: v1
kind: Secret
metadata: {name: plant, namespace: istio-system}
stringData: {kubeconfig: hunter2hunter2}
"""
"""One Istio and a RemoteIstio on another network, by gateways: docs/federation/gateway of release-1.10."""

CISCO_ACTIVE = """\
apiVersion: servicemesh.cisco.com/v1alpha1
kind: IstioControlPlane
metadata:
  name: icp-v115x
  namespace: istio-system
  annotations: {controlplane.istio.servicemesh.cisco.com/namespace-injection-source: "true"}
spec:
  version: 1.15.2
  mode: ACTIVE
  meshID: mesh1
  clusterID: demo-cluster-1
  networkName: network1
  meshExpansion: {enabled: true}
  logging: {level: "default:info"}
  containerImageConfiguration: {hub: registry.example/istio, imagePullPolicy: IfNotPresent}
  istiod:
    enableStatus: false
    externalIstiod: {enabled: true}
    certProvider: ISTIOD
    deployment:
      env:
      - {name: ISTIO_MULTIROOT_MESH, value: "true"}
      replicas: {min: 2, max: 5, count: 2}
      podMetadata: {annotations: {team: mesh}}
  proxy: {logLevel: WARNING, holdApplicationUntilProxyStarts: true}
  proxyInit: {cni: {enabled: true, daemonset: {image: "registry.example/istio/install-cni:1.15.2"}}}
  meshConfig:
    defaultConfig:
      proxyMetadata: {PROXY_CONFIG_XDS_AGENT: "true", ISTIO_META_DNS_CAPTURE: "true"}
  k8sResourceOverlays:
  - {objectKey: {kind: Deployment, name: istiod}, patches: [{path: /spec/template, value: x}]}
"""
CISCO_PASSIVE = """\
apiVersion: servicemesh.cisco.com/v1alpha1
kind: IstioControlPlane
metadata: {name: icp-v115x}
spec:
  version: 1.15.2
  mode: PASSIVE
  meshID: mesh1
  clusterID: demo-cluster-2
  networkName: network2
  logging: {level: "default:info"}
"""
"""docs/multi-cluster-mesh/active-passive of release-1.17."""

SAIL_EAST = """\
apiVersion: v1
kind: List
items:
- apiVersion: sailoperator.io/v1
  kind: Istio
  metadata: {name: default, uid: 6c1f}
  spec:
    version: v1.31.0
    namespace: istio-system
    updateStrategy: {type: RevisionBased, inactiveRevisionDeletionGracePeriodSeconds: 30}
    createNetworkPolicy: true
    values:
      global:
        meshID: mesh1
        multiCluster: {clusterName: east}
        network: network1
      pilot: {cni: {enabled: true}, autoscaleMin: 2}
      meshConfig:
        trustDomain: shop.example
        accessLogFile: /dev/stdout
        caCertificates: [{pem: "-----BEGIN CERTIFICATE-----"}]
  status: {state: Healthy}
- apiVersion: sailoperator.io/v1
  kind: IstioCNI
  metadata: {name: default}
  spec: {version: v1.31.0, namespace: istio-cni}
"""
SAIL_WEST = """\
apiVersion: sailoperator.io/v1
kind: Istio
metadata: {name: default}
spec:
  version: v1.31.0
  namespace: istio-system
  values:
    global:
      meshID: mesh1
      multiCluster: {clusterName: west}
      network: network2
    pilot: {cni: {enabled: true}}
    meshConfig: {trustDomain: shop.example, accessLogFile: /dev/stdout}
"""
"""Multi-primary on two networks: docs/deployment-models/multicluster.adoc."""

OPERATOR = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: primary}
spec:
  profile: default
  hub: registry.example/istio
  tag: 1.30.2-distroless
  revision: stable
  meshConfig:
    accessLogFile: /dev/stdout
    defaultConfig:
      proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true", ISTIO_META_DNS_AUTO_ALLOCATE: "true"}
  values:
    global:
      meshID: mesh1
      multiCluster: {clusterName: cluster1}
      network: network1
      externalIstiod: true
      meshNetworks: {network1: {endpoints: [{fromRegistry: cluster1}]}}
      proxy: {resources: {requests: {cpu: 50m}}}
    pilot:
      autoscaleMin: 2
      env: {PILOT_ENABLE_STATUS: "true", EXTERNAL_ISTIOD: "true"}
    gateways: {istio-ingressgateway: {injectionTemplate: gateway}}
  components:
    base: {enabled: true}
    pilot:
      k8s:
        resources: {requests: {cpu: "1"}}
        hpaSpec: {minReplicas: 3}
        env: [{name: PILOT_TRACE_SAMPLING, value: "10"}]
        overlays: [{kind: Deployment, name: istiod, patches: []}]
    cni: {enabled: true, namespace: kube-system}
    ingressGateways:
    - {name: istio-ingressgateway, enabled: true}
    - name: istio-eastwestgateway
      label: {istio: eastwestgateway, topology.istio.io/network: network1}
      enabled: true
"""
OPERATOR_REMOTE = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  profile: remote
  values:
    istiodRemote:
      injectionPath: /inject/cluster/cluster2/net/network2
    global:
      remotePilotAddress: 192.0.2.10
"""
"""Primary and remote as istio.io's primary-remote page has them, with what teams add."""

HELM = """\
profile: stable
revision: canary
galley: {enabled: false}
autoscaleMin: 2
image: pilot
global:
  meshID: prod
  tag: 1.31.1
  hub: docker.io/istio
  istioNamespace: istio-system
  imagePullSecrets: [regcred]
  caAddress: cert-manager-istio-csr.cert-manager.svc:443
meshConfig:
  enableTracing: true
  defaultConfig: {discoveryAddress: "istiod-canary.istio-system.svc:15012"}
env: {ISTIO_MULTIROOT_MESH: "false", PILOT_TOKEN: hunter2hunter2}
"""
"""Values of chart istiod in one of two clusters, which name neither a cluster nor a network."""
