"""Order by data flow: what a resource waits for is a value of another one."""

from typing import Any, cast

import pulumi


def after(*values: pulumi.Input[Any]) -> list[pulumi.Input[pulumi.Resource]]:
    """Return a `depends_on` that waits for whatever resources the values come from.

    Works with an Output of another component, or of another program's component, where the resource itself is out of
    reach. Pulumi counts the resources behind an Output in `depends_on`, and passes over the None inside it.
    """
    return [cast(Any, pulumi.Output.from_input(value).apply(lambda _: None)) for value in values]
