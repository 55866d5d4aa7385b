"""What the lab says when it can't go on."""


class LabError(Exception):
    """A message for the person at the keyboard: what failed, and what to do or read next."""
