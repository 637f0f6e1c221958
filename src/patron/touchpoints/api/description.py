"""What the OpenAPI document says beyond what the endpoints' signatures tell."""

from typing import Any

from patron.kernel.api.idempotency import KEPT_FOR
from patron.kernel.api.problems import MEDIA_TYPE, Problem

DESCRIPTION = """\
Customers, products, branches, purchases, points and insights, for tills, web shops and other systems.

Every request carries a key: `Authorization: Bearer pk_…`. An administrator makes keys under Settings, chooses what each
may do (its scopes) and whether it is bound to one branch. Lists are read page by page: give `next` of one page as
`cursor` of the following. Every POST may carry an `Idempotency-Key`: sent again with the same body it gets the first
answer and is not done twice. Refusals are problem documents (RFC 9457) in the language of `Accept-Language`: English,
繁體中文 or 简体中文. Amounts are decimal numbers written as text; instants carry their offset from UTC.
"""

_ALWAYS = {401: "No valid key", 403: "The key lacks the scope", 429: "Too many requests", 503: "Not ready; try again"}
_WITH_INPUT = {404: "Not found, or of another branch", 422: "Something in the request is not valid"}
_WITH_BODY = {
    400: "The body is not JSON",
    409: "It contradicts what is recorded",
    413: "The body is too large",
    415: "The body is not application/json",
}
_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": f"Makes a retry safe. Kept for {KEPT_FOR.days} days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    "example": "5f2b0c1e-8d0b-4b55-9a6c-0f5b8a1f2c3d",
}
_LANGUAGE = {
    "in": "header",
    "name": "Accept-Language",
    "required": False,
    "description": "The language of refusals and explanations: en, zh-Hant or zh-Hans.",
    "schema": {"type": "string"},
    "example": "zh-Hant",
}


def described(schema: Any) -> Any:
    """The document with problems, headers and scopes on every operation. Changes `schema` and returns it."""
    components = schema["components"]
    components["schemas"]["Problem"] = Problem.model_json_schema(
        ref_template="#/components/schemas/{model}", mode="serialization", by_alias=True
    )
    components["schemas"].update(components["schemas"]["Problem"].pop("$defs", {}))
    components["responses"] = {
        f"Problem{status}": {
            "description": words,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, words in sorted((_ALWAYS | _WITH_INPUT | _WITH_BODY).items())
    }
    components["securitySchemes"]["Key"]["description"] = "An integration key, `pk_<prefix>_<secret>`."
    for operations in schema["paths"].values():
        for method, operation in operations.items():
            _describe(method, operation)
    return schema


def _describe(method: str, operation: dict[str, Any]) -> None:
    problems = set(_ALWAYS)
    if operation["parameters"]:
        problems |= set(_WITH_INPUT)
    if method != "get":
        problems |= {*_WITH_INPUT, *_WITH_BODY}
    responses = operation["responses"] | {
        status: {"$ref": f"#/components/responses/Problem{status}"} for status in problems
    }
    operation["responses"] = {str(status): responses[status] for status in sorted(responses)}
    for parameter in operation["parameters"]:
        _drop_null(parameter)
    if method == "post":
        operation["parameters"].append(_IDEMPOTENCY_KEY)
    operation["parameters"].append(_LANGUAGE)


def _drop_null(parameter: dict[str, Any]) -> None:
    """A query cannot hold null: an optional parameter is left out instead."""
    choices = parameter["schema"].pop("anyOf", None)
    if choices is not None:
        [given] = [choice for choice in choices if choice != {"type": "null"}]
        parameter["schema"] |= given
