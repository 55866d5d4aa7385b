"""Looking at live clusters: read-only, in parallel, each with a deadline. Never imports Pulumi."""
