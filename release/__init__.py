"""What stands between a commit and a release: `python -m release`."""
