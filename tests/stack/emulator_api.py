"""What the emulator's API Gateway learns, for an API for all methods and paths, with answers of its own, behind a domain.

* An API's definition may name the method ANY and the gateway's own answers; the emulator has both, but not from there.
* API Gateway leaves the base path of a domain's mapping in the path of a function's event; the emulator takes it away.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from ministack.services import apigateway_v1

ANY, RESPONSES = "x-amazon-apigateway-any-method", "x-amazon-apigateway-gateway-responses"

_base_path: ContextVar[str] = ContextVar("base_path", default="")
_import, _import_path = apigateway_v1._import_rest_api, apigateway_v1._import_path_item
_resolve, _build_event = apigateway_v1.resolve_base_path_mapping, apigateway_v1._build_lambda_event_v1


def import_rest_api(spec: dict[str, Any], *arguments: Any) -> str:
    api = _import(spec, *arguments)
    for kind, response in spec.get(RESPONSES, {}).items():
        apigateway_v1._put_gateway_response(api, kind, response)
    return api


def import_path_item(api: str, path: str, item: dict[str, Any], *arguments: Any) -> None:
    _import_path(api, path, {("any" if method == ANY else method): v for method, v in item.items()}, *arguments)


def resolve_base_path_mapping(domain_name: str, path: str):
    found = _resolve(domain_name, path)
    _base_path.set(path.removesuffix(found[2]) if found else "")
    return found


def build_lambda_event(*arguments: Any, **more: Any) -> dict[str, Any]:
    event = _build_event(*arguments, **more)
    return event | {"path": _base_path.get() + event["path"]}


def learn() -> None:
    apigateway_v1._OPENAPI_HTTP_METHODS = {*apigateway_v1._OPENAPI_HTTP_METHODS, "any"}
    apigateway_v1._import_rest_api = import_rest_api
    apigateway_v1._import_path_item = import_path_item
    apigateway_v1.resolve_base_path_mapping = resolve_base_path_mapping
    apigateway_v1._build_lambda_event_v1 = build_lambda_event
