"""The checks that every stack of template.yaml and of network.yaml must pass, by kind of resource.

A check takes a :class:`cfn.Stack` and raises ``AssertionError``. ``test_template.py`` runs all checks on the
real templates. ``test_mutations.py`` runs each one on a template that breaks its rule, which it must report.
"""

from checks import alarms, api, egress, functions, managed_policies, network, pages, permissions, state, whole
from checks.common import BINARIES, NETWORK_CHECKS, SERVICE_CHECKS

__all__ = [
    "BINARIES", "NETWORK_CHECKS", "SERVICE_CHECKS",
    "alarms", "api", "egress", "functions", "managed_policies", "network", "pages", "permissions", "state", "whole",
]
