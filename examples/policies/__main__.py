"""What `pulumi` runs where this folder is a policy pack."""

from policies import POLICIES
from pulumi_policy import EnforcementLevel, PolicyPack

PolicyPack("istio-mesh", enforcement_level=EnforcementLevel.MANDATORY, policies=POLICIES)
