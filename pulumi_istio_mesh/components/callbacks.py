"""Whether the engine calls back into the program, as hooks and transforms need it."""

from pulumi.runtime import mocks, settings


def engine_calls_back() -> bool:
    """Return False under Pulumi's mocks, which have no server for callbacks: a user's own mock tests must run."""
    return not isinstance(settings.get_monitor(), mocks.MockMonitor)
