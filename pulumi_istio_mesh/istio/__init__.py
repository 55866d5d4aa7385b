"""What Istio expects: names, Helm values, objects, versions, certificates. Never imports Pulumi."""
