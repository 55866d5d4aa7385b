"""`make fuzz`: the pipeline with ever new inputs for some minutes; ends at the first failure, and says what it reached.

The seed of each round is printed with a failure: --seed repeats it.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, given, seed, settings

from pulumi_istio_mesh.checks.registry import CHECKS
from pulumi_istio_mesh.cli import mesh_file
from pulumi_istio_mesh.topology.problems import SLUGS

from ..builders import TODAY
from .inputs import KINDS
from .pipeline import Counts

_A_ROUND = 50


def one_round(kind: str, number: int, counts: Counts) -> None:
    """Take some inputs of a kind through the pipeline; the number decides which."""
    inputs, taken, share = KINDS[kind]

    @seed(number)
    @settings(
        max_examples=_A_ROUND * share,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(inputs)
    def rounds(found: Any) -> None:
        taken(found, counts)

    rounds()


def report(counts: Counts, minutes: float) -> str:
    """Say what was reached."""
    refusals = [slug for slug in SLUGS if slug not in CHECKS]
    missed = [slug for slug in refusals if not counts.slugs[slug]]
    lines = [f"{sum(counts.examples.values())} examples in {minutes:.1f} min, the slowest in {counts.slowest:.1f} s"]
    lines += [f"  {count:7} {kind}" for kind, count in counts.examples.items()]
    lines += ["valid:", *(f"  {count:7} {kind}" for kind, count in counts.valid.items())]
    lines += [f"refused, by slug ({len(refusals) - len(missed)} of {len(refusals)}):"]
    lines += [f"  {counts.slugs[slug]:7} {slug}" for slug in refusals if slug not in missed]
    lines += [f"never: {', '.join(missed) or 'none'}"]
    return "\n".join(lines)


def main() -> None:
    """Fuzz until the time is over."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--seed", type=int, default=None, help="of one round, which is repeated alone")
    given_to = asked.parse_args()
    counts, began = Counts(), time.monotonic()
    number = given_to.seed if given_to.seed is not None else time.time_ns() % 10**9
    with mock.patch.object(mesh_file, "today", lambda: TODAY):
        while True:
            for kind in KINDS:
                try:
                    one_round(kind, number, counts)
                except BaseException:
                    print(f"{kind} failed: python -m tests.fuzz --seed {number} repeats it", file=sys.stderr)
                    print(report(counts, (time.monotonic() - began) / 60), flush=True)
                    raise
            if given_to.seed is not None or time.monotonic() - began > given_to.minutes * 60:
                break
            number += 1
    print(report(counts, (time.monotonic() - began) / 60))


if __name__ == "__main__":
    main()
