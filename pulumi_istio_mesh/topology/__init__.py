"""What is declared: models, the rules between them, and the file they are read from. Never imports Pulumi."""
