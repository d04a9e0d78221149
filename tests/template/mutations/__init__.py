"""Ways to break the template, by kind of resource, each with the check that must report it."""

from mutations import alarms, api, functions, network, permissions, state, whole  # noqa: F401
from mutations.common import MUTATIONS

__all__ = ["MUTATIONS"]
