"""Order by data flow: what a resource waits for is a value of another one."""

import asyncio
from typing import Any, cast

import pulumi


def after(*values: pulumi.Input[Any]) -> list[pulumi.Input[pulumi.Resource]]:
    """Return a `depends_on` that waits for whatever resources the values come from.

    Works with an Output of another component, or of another program's component, where the resource itself is out of
    reach. Pulumi counts the resources behind an Output in `depends_on`, and passes over the None inside it.
    """
    return [cast(Any, pulumi.Output.from_input(value).apply(lambda _: None)) for value in values]


class Later:
    """A value to wait for that is made further down in the program: each cluster's proof needs all the others.

    Only for order while a program runs: nothing of it is in the state, and so not in the order of deletion.
    """

    def __init__(self) -> None:
        self._kept: asyncio.Future[list[pulumi.Output[Any]]] = asyncio.get_event_loop().create_future()
        self.output: pulumi.Output[Any] = pulumi.Output.from_input(cast(Any, self._all()))

    def keep(self, values: list[pulumi.Output[Any]]) -> None:
        """Say what the value waits for; must be called before the program ends."""
        self._kept.set_result(values)

    async def _all(self) -> None:
        for value in await self._kept:
            await value.future()
