"""Ways to break the templates, by kind of resource, each with the check that must report it."""

from mutations import alarms, api, egress, functions, network, pages, permissions, state, whole  # noqa: F401
from mutations.common import MUTATIONS

__all__ = ["MUTATIONS"]
