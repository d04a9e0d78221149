"""The combinations of parameters under test, with a name for each."""

EIPS = {
    "EipAllocationId1": "eipalloc-0a0a0a0a0a0a0a0a1", "EipAddress1": "203.0.113.11",
    "EipAllocationId2": "eipalloc-0a0a0a0a0a0a0a0a2", "EipAddress2": "203.0.113.12",
    "EipAllocationId3": "eipalloc-0a0a0a0a0a0a0a0a3", "EipAddress3": "203.0.113.13",
}
EXISTING = {
    "ExistingSubnetIds": "subnet-0aaaaaaaaaaaaaaa1,subnet-0aaaaaaaaaaaaaaa2",
    "ExistingSecurityGroupId": "sg-0aaaaaaaaaaaaaaa1",
    "ExistingEgressIps": "198.51.100.1,198.51.100.2",
}


def regional(region: str, partition: str) -> dict[str, dict[str, str]]:
    """Combinations, with ARNs of this region where a parameter takes one."""
    def arn(service: str, rest: str) -> str:
        return f"arn:{partition}:{service}:{region}:111122223333:{rest}"

    secret = {"CredentialsSecretArn": arn("secretsmanager", "secret:wechat/component-AbCdEf")}
    kms = {"KmsKeyArn": arn("kms", "key/11111111-2222-3333-4444-555555555555")}
    topic = {"AlarmTopicArn": arn("sns", "oncall")}
    domain = {
        "CustomDomainName": "wx.example.com",
        "CertificateArn": arn("acm", "certificate/11111111-2222-3333-4444-555555555555"),
    }
    callers = {"CallerPrincipals": f"444455556666,arn:{partition}:iam::777788889999:role/orders"}
    combos = {
        "default": {},
        "minting off": {"Minting": "off"},
        "three zones, one nat": {"ZoneCount": "3"},
        "nat per zone": {"NatMode": "per-az"},
        "nat per zone, three zones": {"NatMode": "per-az", "ZoneCount": "3"},
        "named zones": {"NatMode": "per-az", "AvailabilityZones": f"{region}c,{region}a"},
        "brought address": {k: v for k, v in EIPS.items() if k.endswith("1")},
        "single to per-az": {"NatMode": "per-az"} | {k: v for k, v in EIPS.items() if k.endswith("2")},
        "brought addresses, three zones": {"NatMode": "per-az", "ZoneCount": "3"} | EIPS,
        "brought but unused": EIPS,
        "existing network": EXISTING,
        "existing network, per-az asked in vain": EXISTING | {"NatMode": "per-az", "ZoneCount": "3"} | EIPS,
        "secrets manager endpoint": {"SecretsManagerEndpoint": "true", "ZoneCount": "3"},
        "brought secret": secret,
        "kms key": kms,
        "no public callback": {"PublicCallback": "false"},
        "callers of other accounts": callers,
        "callers of other accounts, no public callback": callers | {"PublicCallback": "false"},
        "custom domain": domain,
        "access logs": {"AccessLogs": "on"},
        "access logs and account role": {"AccessLogs": "on-and-set-account-role"},
        "reserved concurrency": {"ReservedConcurrency": "50", "CallbackReservedConcurrency": "20"},
        "alarm topic": topic,
        "debug": {"LogLevel": "DEBUG"},
        "everything": {
            "Minting": "on", "NatMode": "per-az", "ZoneCount": "3", "SecretsManagerEndpoint": "true",
            "AccessLogs": "on-and-set-account-role", "ReservedConcurrency": "50",
            "CallbackReservedConcurrency": "20", "LogLevel": "DEBUG",
        } | secret | kms | topic | domain | callers | EIPS,
    }
    if partition == "aws":
        combos["arm64"] = {"Architecture": "arm64"}
    return combos


REGIONS = {"us-east-1": "aws", "cn-north-1": "aws-cn"}
ALL = [
    (region, name, parameters)
    for region, partition in REGIONS.items()
    for name, parameters in regional(region, partition).items()
]
IDS = [f"{REGIONS[region]}: {name}" for region, name, _ in ALL]
