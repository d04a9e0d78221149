"""Each check reports a template that breaks its rule. Without these tests a check could be one that cannot fail."""

from __future__ import annotations

import cfn
import checks
import pytest
from mutations import MUTATIONS


@pytest.mark.parametrize("change, caught_by, region, parameters", MUTATIONS)
def test_broken_template_is_caught(change, caught_by, region, parameters):
    caught_by(cfn.deployed(region, **parameters))  # sound before
    template = cfn.load()
    change(template)
    broken = cfn.build(template, region, **parameters)
    with pytest.raises(AssertionError):
        caught_by(broken)


def test_every_check_has_a_mutation_that_it_catches():
    tripped = {parameter.values[1] for parameter in MUTATIONS}
    assert not [check.__name__ for check in checks.CHECKS if check not in tripped]
