"""The checks that every stack of template.yaml must pass, by kind of resource.

A check takes a :class:`cfn.Stack` and raises ``AssertionError``. ``test_template.py`` runs all checks on the
real template. ``test_mutations.py`` runs each one on a template that breaks its rule, which it must report.
"""

from checks import alarms, api, functions, network, permissions, state, whole
from checks.common import BINARIES, CHECKS, FUNCTIONS

__all__ = ["BINARIES", "CHECKS", "FUNCTIONS", "alarms", "api", "functions", "network", "permissions", "state", "whole"]
