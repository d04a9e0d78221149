"""The parameters that open or close a route."""

from __future__ import annotations

from conftest import invoke
from merchant import Merchant
from wechat import APPID, PUSH_KEYS, SECRET

OTHER_ACCOUNT = "111122223333"


def test_with_callers_of_other_accounts_the_open_route_stays_open(aws, deploy):
    """Then the API has a resource policy, which must let WeChat in and this account's callers too."""
    made = deploy("shared", with_pages=True, CallerPrincipals=OTHER_ACCOUNT)
    made.begin()
    caller = aws.user(made.outputs["CallerPolicyArn"])
    for ask, path in ((made.code, "/preauthcode"), (made.link, "/authorization-links")):
        assert ask(caller).status == 200
        assert ask(aws.user()).status == 403
        assert aws.http("POST", made.api, path, "{}").status == 403
    # The policy is the API's for callers. The pages' has none, and everybody may open a link.
    assert Merchant(made).open(made.link(caller).json["url"]).status == 200


def test_without_an_origin_there_are_no_pages_and_no_links(aws, deploy):
    made = deploy("pageless")
    made.begin()
    caller = aws.user(made.outputs["CallerPolicyArn"])
    assert made.code(caller).status == 200
    assert made.link(caller).status == 403
    assert not {"AuthorizationLinksUrl", "PagesEndpoint", "AuthorizeFunctionArn"} & set(made.outputs)
    assert not [name for name in made.resources() if name.startswith(("Authorize", "Pages"))]


def test_without_the_public_route_pushes_come_by_direct_invocation_alone(aws, deploy):
    made = deploy("private", PublicCallback="false")
    assert "CallbackUrl" not in made.outputs
    made.fill(made.outputs["CredentialsSecretArn"], component_appid=APPID, component_appsecret=SECRET)
    made.fill(made.outputs["CallbackSecretArn"], component_appid=APPID, push_keys=PUSH_KEYS)
    assert made.push(new_ticket=True).status == 403
    query, body = made.wechat.push()
    pairs = dict(pair.split("=", 1) for pair in query.split("&"))
    forwarder = aws.user(made.outputs["PushForwarderPolicyArn"])
    answer = invoke(aws, made.outputs["CallbackFunctionArn"], {"query": pairs, "body": body}, forwarder)
    assert answer == {"result": "success"}
    assert made.code(aws.user(made.outputs["CallerPolicyArn"])).status == 200
