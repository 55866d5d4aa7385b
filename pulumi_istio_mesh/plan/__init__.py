"""What follows from a topology: decisions, no input or output. Never imports Pulumi."""
