"""Every call to WeChat leaves from the NAT gateway's address, and when one does not, the answer says so.

The real `preauthcode` program, the real TLS, a whitelist that is enforced on the peer's address. Only
the machines are namespaces of one.
"""

from __future__ import annotations

import netns
import pytest
from netns import BYPASS, NAT1, NAT2, WECHAT, WECHAT_IPV6


@pytest.fixture
def by_nat2(world):
    world.network.leave_by_nat2()
    yield
    world.network.leave_by_nat1()


@pytest.fixture
def around_the_nat(world):
    world.network.add_bypass()
    yield
    world.network.remove_bypass()


@pytest.fixture
def ipv6(world):
    world.network.add_ipv6()
    yield
    world.network.remove_ipv6()


def test_without_a_nat_gateway_there_is_no_way_out(world):
    """The control of all that follows: nothing but the NAT namespaces connects the two sides."""
    assert world.function.reaches(WECHAT, 443)
    world.network.leave_by_nothing()
    try:
        assert not world.function.reaches(WECHAT, 443)
    finally:
        world.network.leave_by_nat1()


def test_a_code_is_issued_from_the_registered_address(world):
    world.start(whitelist=[NAT1], egress_ips=[NAT1])
    answer = world.ask()
    assert answer["pre_auth_code"].startswith("preauthcode@@@"), answer
    assert world.seen_addresses() == {NAT1}, "every call: the mint, the code, and the warm-up"


def test_a_second_nat_gateway_that_is_not_registered_is_named(world, by_nat2):
    world.start(whitelist=[NAT1], egress_ips=[NAT1, NAT2])
    answer = world.ask()
    assert answer["code"] == "Config.EgressIpNotRegistered", answer
    assert answer["client_ip"] == NAT2
    assert NAT2 in answer["remedy"] and "append" in answer["remedy"].lower() and "bypasses" not in answer["remedy"]
    assert world.seen_addresses() == {NAT2}

    # Appended, as the remedy says: the next request gets its code, without a new deployment.
    world.wechat.call("POST", "/_sim/whitelist", {"addresses": [NAT1, NAT2]})
    assert retry(world, lambda answer: "pre_auth_code" in answer, seconds=40)


def test_a_route_around_the_nat_gateway_is_called_that(world, around_the_nat):
    world.start(whitelist=[NAT1], egress_ips=[NAT1])
    answer = world.ask()
    assert answer["code"] == "Config.EgressIpNotRegistered", answer
    assert answer["client_ip"] == BYPASS
    assert BYPASS in answer["remedy"] and "bypasses the NAT" in answer["remedy"]


def test_a_nat_gateway_that_is_down_costs_one_time_limit_and_recovers(world):
    world.start(whitelist=[NAT1], egress_ips=[NAT1])
    assert "pre_auth_code" in world.ask(), "warm: a token and a connection"
    world.network.nat1_drops(True)
    try:
        for answer in (world.ask(), world.ask()):
            assert answer["code"] == "WeChat.Unreachable", answer
            assert answer["retryable"] is True
            assert answer["seconds"] < 12, f"close to the function's time limit: {answer['seconds']:.1f} s"
    finally:
        world.network.nat1_drops(False)
    answer = world.ask()
    assert "pre_auth_code" in answer, f"not recovered: {answer}"
    assert world.seen_addresses() == {NAT1}


def test_a_warm_function_survives_the_move_to_another_nat_gateway(world, by_nat2):
    """What switching to one NAT gateway per zone does to a connection that is open."""
    world.network.leave_by_nat1()
    world.start(whitelist=[NAT1, NAT2], egress_ips=[NAT1, NAT2])
    assert "pre_auth_code" in world.ask()
    world.network.leave_by_nat2()
    answer = world.ask()
    assert "pre_auth_code" in answer, answer
    assert world.seen_addresses() == {NAT1, NAT2}


def test_ipv6_is_there_and_is_not_used(world, ipv6):
    assert world.function.resolve(netns.HOSTS[0])[0] == WECHAT_IPV6, "the resolver prefers IPv6"
    assert world.function.reaches(WECHAT_IPV6, 443), "and it works"
    world.start(whitelist=[NAT1], egress_ips=[NAT1])
    assert "pre_auth_code" in world.ask()
    assert world.seen_addresses() == {NAT1}


def retry(world, done, seconds: float):
    """Asks until `done`, as a caller that honours Retry-After would."""
    import time

    until = time.monotonic() + seconds
    while not done(answer := world.ask()):
        if time.monotonic() > until:
            raise AssertionError(f"still: {answer}")
        time.sleep(1)
    return answer
