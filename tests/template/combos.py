"""The combinations of parameters under test, with a name for each."""

EIP1 = {"EipAllocationId1": "eipalloc-0a0a0a0a0a0a0a0a1", "EipAddress1": "203.0.113.11"}
EIP2 = {"EipAllocationId2": "eipalloc-0a0a0a0a0a0a0a0a2", "EipAddress2": "203.0.113.12"}


def _arn(region: str, partition: str, service: str, rest: str) -> str:
    return f"arn:{partition}:{service}:{region}:111122223333:{rest}"


def service(region: str, partition: str) -> dict[str, dict[str, str]]:
    """Combinations for template.yaml, with ARNs of this region where a parameter takes one."""
    def arn(service: str, rest: str) -> str:
        return _arn(region, partition, service, rest)

    secret = {"CredentialsSecretArn": arn("secretsmanager", "secret:wechat/component-AbCdEf")}
    secrets = secret | {"CallbackSecretArn": arn("secretsmanager", "secret:wechat/push-keys-AbCdEf")}
    kms = {"KmsKeyArn": arn("kms", "key/11111111-2222-3333-4444-555555555555")}
    topic = {"AlarmTopicArn": arn("sns", "oncall")}
    domain = {
        "CustomDomainName": "wx.example.com",
        "CertificateArn": arn("acm", "certificate/11111111-2222-3333-4444-555555555555"),
    }
    pages = {"PagesOrigin": "https://auth.example.com", "PlatformName": r"\u5e97\u94fa of A"}
    callers = {"CallerPrincipals": f"444455556666,arn:{partition}:iam::777788889999:role/orders"}
    combos = {
        "default": {},
        "minting off": {"Minting": "off"},
        "three subnets, three addresses": {
            "SubnetIds": "subnet-0aaaaaaa1, subnet-0aaaaaaa2, subnet-0aaaaaaa3",
            "EgressIps": "198.51.100.1,198.51.100.2,198.51.100.3",
        },
        "one brought secret": secret,
        "two brought secrets": secrets,
        "kms key": kms,
        "no public callback": {"PublicCallback": "false"},
        "callers of other accounts": callers,
        "callers of other accounts, no public callback": callers | {"PublicCallback": "false"},
        "custom domain": domain,
        "access logs": {"AccessLogs": "on"},
        "reserved concurrency": {"ReservedConcurrency": "50"},
        "alarm topic": topic,
        "debug": {"LogLevel": "DEBUG"},
        "a simulator": {"OtherApiHosts": "https://wechat.test:8443"},
        "pages": pages,
        "pages on the custom domain": pages | domain | {"PagesOrigin": "https://wx.example.com"},
        "pages with a key": pages | kms,
        "pages without a name, access logs": {"PagesOrigin": pages["PagesOrigin"], "AccessLogs": "on"},
        "pages, a simulator, no public callback": pages | {
            "AuthorizationPageOrigins": "https://wechat.test:8443,https://wechat.test:8444", "PublicCallback": "false",
        },
        "everything": {
            "Minting": "off", "AccessLogs": "on", "ReservedConcurrency": "50", "LogLevel": "DEBUG",
            "RetentionDays": "90", "WechatApiHosts": "https://sh.api.weixin.qq.com",
        } | secrets | kms | topic | domain | callers | pages,
    }
    if partition == "aws":
        combos["arm64"] = {"Architecture": "arm64"}
    return combos


def network(region: str, partition: str) -> dict[str, dict[str, str]]:
    """Combinations for network.yaml."""
    combos = {
        "default": {},
        "nat per zone": {"NatMode": "per-az"},
        "named zones": {"NatMode": "per-az", "AvailabilityZones": f"{region}c,{region}a"},
        "first address brought": EIP1,
        "second address brought": EIP2,
        "both addresses brought, nat per zone": {"NatMode": "per-az"} | EIP1 | EIP2,
        "large vpc": {"VpcCidr": "10.0.0.0/16"},
        "secrets manager endpoint": {"SecretsManagerEndpoint": "true"},
    }
    topic = {"AlarmTopicArn": _arn(region, partition, "sns", "oncall")}
    combos["everything"] = {"NatMode": "per-az", "SecretsManagerEndpoint": "true"} | topic
    return combos


REGIONS = {"us-east-1": "aws", "cn-north-1": "aws-cn"}


def _all(combos) -> list[tuple[str, str, dict[str, str]]]:
    return [
        (region, name, parameters)
        for region, partition in REGIONS.items()
        for name, parameters in combos(region, partition).items()
    ]


SERVICES, NETWORKS = _all(service), _all(network)


def ids(combos: list[tuple[str, str, dict[str, str]]]) -> list[str]:
    return [f"{REGIONS[region]}: {name}" for region, name, _ in combos]
