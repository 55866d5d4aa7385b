"""What is looked at in a live mesh: each check, what it found, and what follows from what. Never imports Pulumi."""
