"""What is built: one Pulumi component a role."""
