"""What the emulator cannot have, has otherwise or cannot show: one table, printed at the end of the run.

Each entry names a part of template.yaml or network.yaml. When that part goes or changes its name, a test asks for this
table to follow.
"""

from __future__ import annotations

from dataclasses import dataclass

LEFT_OUT, REPLACED, IMITATED, NOT_SHOWN = "left out", "replaced", "imitated", "not shown"


@dataclass(frozen=True)
class Limit:
    """One entry. `part` is a resource, `Role.Statement`, or a text of a template's JSON."""

    kind: str
    part: str
    reason: str


VPC = "Lambda's own use for network interfaces; functions are processes on this machine"
LIMITS = [
    Limit(LEFT_OUT, "EventArchive", "the emulator's CloudFormation has no archives"),
    Limit(LEFT_OUT, "EventBusPolicy", "the emulator's CloudFormation has no bus policies, and nothing evaluates them"),
    *(Limit(LEFT_OUT, alarm, "the emulator has no alarms with expressions")
      for alarm in ("FailuresAlarm", "CrashesAlarm", "ThrottlesAlarm", "NatPortsAlarm")),
    Limit(LEFT_OUT, "Dashboard", "it names alarms that are left out"),

    Limit(REPLACED, "aws:SourceVpce", "requests come through no endpoint there; aws:SourceIp stands in"),
    Limit(REPLACED, "CredentialsSecret", "as Ref it gives the name there; policies get an ARN that ends in a wildcard"),
    Limit(REPLACED, "CallbackSecret", "as Ref it gives the name there; policies get an ARN that ends in a wildcard"),
    Limit(REPLACED, "STATE_TABLE", "TLS_EXTRA_CA_FILE is added beside it: functions trust the simulator's certificate"),

    Limit(REPLACED, "PagesOrigin", "no name leads there: the tests' browser takes it for the front door, without TLS"),
    Limit(IMITATED, "x-amazon-apigateway-any-method", "emulator_api.py: an API's definition may name it there too"),
    Limit(IMITATED, "GatewayResponses", "emulator_api.py takes them from an API's definition"),
    Limit(IMITATED, "AWS::ApiGateway::BasePathMapping", "emulator_api.py leaves the base path in an event's path, as AWS does"),

    *(Limit(IMITATED, type_, "a resource of emulator_network.py, over the emulator's EC2 API")
      for type_ in ("AWS::EC2::EIP", "AWS::EC2::NatGateway")),
    Limit(IMITATED, "AWS::EC2::Route", "emulator_network.py tells change sets what replaces a resource, asks the caller's "
          "permissions, and applies the stack policy to change sets; a removal that it denies fails at the first resource"),

    *(Limit(NOT_SHOWN, f"{role}Role.{sid}", reason)
      for role in ("Preauthcode", "Keeper") for sid, reason in (
          ("Tracing", "the emulator has no X-Ray"),
          ("DescribeForVpc", VPC), ("NetworkInterfacesForVpc", VPC), ("NotFromFunctionCode", VPC))),
    *(Limit(NOT_SHOWN, f"{role}Role.OwnLogs", "the emulator writes the functions' logs without asking")
      for role in ("Preauthcode", "Callback", "Keeper", "Authorize")),
    *(Limit(NOT_SHOWN, f"{role}Role.DecryptSecretAndTable", "the emulator's Secrets Manager and DynamoDB use no keys")
      for role in ("Preauthcode", "Callback", "Keeper")),
    *(Limit(NOT_SHOWN, statement, "the emulator's DynamoDB uses no keys")
      for statement in ("AuthorizeRole.DecryptTable", "TokenReaderPolicy.DecryptTable")),
    *(Limit(NOT_SHOWN, permission, "the emulator's API and rules invoke a function without asking its permissions")
      for permission in ("PreauthcodeApiPermission", "CallbackApiPermission", "AuthorizeApiPermission",
                         "AuthorizePagesPermission", "KeeperSchedulePermission")),
    Limit(NOT_SHOWN, "RegionalCertificateArn", "the front door speaks no TLS, and nobody looks the certificate up"),
    Limit(NOT_SHOWN, "TimeToLiveSpecification", "stored; a link ends hours after these tests"),
    Limit(NOT_SHOWN, "FunctionSecurityGroup", "nothing flows there: no rule, route or gateway carries a packet"),
    Limit(NOT_SHOWN, "VpcConfig", "the emulator's CloudFormation keeps no function's network: no function is a guest"),
    Limit(NOT_SHOWN, "SecretsManagerVpcEndpoint", "is not deployed; preflight of VPC Block Public Access is in tests/operate"),
    Limit(NOT_SHOWN, "AWS::EC2::Subnet::Id", "the emulator does not look the network's parameters up"),
    Limit(NOT_SHOWN, "PointInTimeRecoverySpecification", "stored; the emulator has no backups"),
    Limit(NOT_SHOWN, "ReservedConcurrentExecutions", "the emulator limits a function's processes otherwise"),
    Limit(NOT_SHOWN, "MethodSettings", "the emulator throttles nothing"),
]


def parts(kind: str) -> list[str]:
    return [limit.part for limit in LIMITS if limit.kind == kind]
