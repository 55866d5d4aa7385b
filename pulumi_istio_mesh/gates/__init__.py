"""What proves a mesh from inside its clusters: probes that answer, and Jobs that call them. Never imports Pulumi."""
