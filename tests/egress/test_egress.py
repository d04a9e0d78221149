"""Every call to WeChat leaves from the NAT gateway's address. When a call does not, the answer says so.

The tests run the real `preauthcode` program with real TLS. The simulator enforces its whitelist on the address of
the caller. Only the machines are network namespaces of one machine.
"""

from __future__ import annotations

import time

from netns import BYPASS, GATEWAY2, HOSTS, NAT1, NAT2, WECHAT, WECHAT_IPV6


def test_without_a_nat_gateway_there_is_no_way_out(harness):
    """The control for all other tests: only the NAT namespaces connect the two sides."""
    assert harness.reaches(WECHAT)
    with harness.network.routed_through(None):
        assert not harness.reaches(WECHAT)


def test_a_code_is_issued_from_the_registered_address(harness):
    harness.start(whitelist=[NAT1], egress_ips=[NAT1])
    answer = harness.ask()
    assert answer["pre_auth_code"].startswith("preauthcode@@@"), answer
    assert harness.seen_addresses() == {NAT1}, "every call: the mint, the code, and the warm-up"


def test_a_second_nat_gateway_that_is_not_registered_is_named(harness):
    with harness.network.routed_through(GATEWAY2):
        harness.start(whitelist=[NAT1], egress_ips=[NAT1, NAT2])
        answer = harness.ask()
        assert answer["code"] == "Config.EgressIpNotRegistered", answer
        assert answer["client_ip"] == NAT2
        assert NAT2 in answer["remedy"] and "append" in answer["remedy"].lower() and "bypasses" not in answer["remedy"]
        assert harness.seen_addresses() == {NAT2}

        # The operator appends it, as the remedy says. A later request gets its code, without a new deployment.
        harness.wechat.call("POST", "/_sim/whitelist", {"addresses": [NAT1, NAT2]})
        assert retry(harness, lambda answer: "pre_auth_code" in answer, seconds=40)


def test_a_route_around_the_nat_gateway_is_called_that(harness):
    with harness.network.bypass():
        harness.start(whitelist=[NAT1], egress_ips=[NAT1])
        answer = harness.ask()
        assert answer["code"] == "Config.EgressIpNotRegistered", answer
        assert answer["client_ip"] == BYPASS
        assert BYPASS in answer["remedy"] and "bypasses the NAT" in answer["remedy"]


def test_a_nat_gateway_that_is_down_costs_one_time_limit_and_recovers(harness):
    harness.start(whitelist=[NAT1], egress_ips=[NAT1])
    assert "pre_auth_code" in harness.ask(), "warm: a token and a connection"
    with harness.network.nat1_down():
        for answer in (harness.ask(), harness.ask()):
            assert answer["code"] == "WeChat.Unreachable", answer
            assert answer["retryable"] is True
            assert answer["seconds"] < 12, f"close to the function's time limit: {answer['seconds']:.1f} s"
    answer = harness.ask()
    assert "pre_auth_code" in answer, f"not recovered: {answer}"
    assert harness.seen_addresses() == {NAT1}


def test_a_warm_function_survives_the_move_to_another_nat_gateway(harness):
    """A change to one NAT gateway per zone moves the route while a connection is open."""
    harness.start(whitelist=[NAT1, NAT2], egress_ips=[NAT1, NAT2])
    assert "pre_auth_code" in harness.ask()
    with harness.network.routed_through(GATEWAY2):
        answer = harness.ask()
    assert "pre_auth_code" in answer, answer
    assert harness.seen_addresses() == {NAT1, NAT2}


def test_ipv6_is_there_and_is_not_used(harness):
    with harness.network.ipv6():
        resolved = harness.network.exec(harness.network.function, "getent", "ahosts", HOSTS[0])
        assert resolved.split()[0] == WECHAT_IPV6, "the resolver prefers IPv6"
        assert harness.reaches(WECHAT_IPV6), "and IPv6 works"
        harness.start(whitelist=[NAT1], egress_ips=[NAT1])
        assert "pre_auth_code" in harness.ask()
        assert harness.seen_addresses() == {NAT1}


def retry(harness, done, seconds: float):
    """Asks until `done`, as a caller that honours Retry-After would."""
    until = time.monotonic() + seconds
    while not done(answer := harness.ask()):
        if time.monotonic() > until:
            raise AssertionError(f"still: {answer}")
        time.sleep(1)
    return answer
