"""From the OpenAPI document to what the reference page shows. No Django."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 6


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a member of a body: `path` as one writes it, `lines[].quantity`."""

    path: str
    kind: str
    required: bool
    meaning: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    parameters: Sequence[Field]
    body: Sequence[Field]
    result: Sequence[Field]
    answers: Sequence[Answer]
    example: str


@dataclass(frozen=True, slots=True)
class Chapter:
    name: str
    operations: Sequence[Operation]


def chapters(document: Mapping[str, Any], *, host: str) -> list[Chapter]:
    """The endpoints by tag, in the order of the document."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            chapter = found.setdefault(operation["tags"][0], [])
            chapter.append(_operation(document, path, method, operation, host=host))
    return [Chapter(name, operations) for name, operations in found.items()]


def _operation(
    document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any], *, host: str
) -> Operation:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    success = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    result = success.get("content", {}).get("application/json", {}).get("schema")
    return Operation(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        scope=operation["x-scope"],
        parameters=[
            Field(
                parameter["name"],
                f"{_kind(document, parameter['schema'])} ({parameter['in']})",
                parameter["required"],
                parameter.get("description", ""),
            )
            for parameter in operation["parameters"]
        ],
        body=_fields(document, body) if body else [],
        result=_fields(document, result) if result else [],
        answers=[
            Answer(status, _resolved(document, answer)["description"])
            for status, answer in operation["responses"].items()
        ],
        example=_example(document, path, method, body, host=host),
    )


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a `$ref` points at, or the single choice besides null."""
    while "$ref" in schema or "allOf" in schema or "anyOf" in schema:
        if "$ref" in schema:
            target: Any = document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            schema = target
        elif "allOf" in schema:
            schema = schema["allOf"][0]
        else:
            schema = next((choice for choice in schema["anyOf"] if choice.get("type") != "null"), {})
    return schema


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The type in a word or two."""
    resolved = _resolved(document, schema)
    nullable = " or null" if any(choice.get("type") == "null" for choice in schema.get("anyOf", ())) else ""
    if "enum" in resolved:
        return " | ".join(str(choice) for choice in resolved["enum"]) + nullable
    if "const" in resolved:
        return f"{resolved['const']}{nullable}"
    if resolved.get("type") == "array":
        return f"list of {_kind(document, resolved['items'])}{nullable}"
    if _is_decimal(schema):
        return f"decimal{nullable}"
    return f"{resolved.get('format') or resolved.get('type') or 'anything'}{nullable}"


def _is_decimal(schema: Mapping[str, Any]) -> bool:
    """Numbers are taken as numbers or as text, and given as text that looks like one."""
    choices = schema.get("anyOf", [schema])
    types = {choice.get("type") for choice in choices}
    return types >= {"number", "string"} or any("\\d*" in choice.get("pattern", "") for choice in choices)


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any], *, before: str = "", depth: int = 0) -> list[Field]:
    """The members of an object and of the objects inside it, outermost first."""
    resolved = _resolved(document, schema)
    if resolved.get("type") == "array":
        return _fields(document, resolved["items"], before=f"{before}[]", depth=depth)
    fields: list[Field] = []
    if depth > _MAX_DEPTH:
        return fields
    required = set(resolved.get("required", ()))
    for name, member in resolved.get("properties", {}).items():
        path = f"{before}.{name}" if before else name
        inner = _resolved(document, member)
        meaning = member.get("description") or (inner.get("description", "") if "properties" not in inner else "")
        fields.append(Field(path, _kind(document, member), name in required, meaning, depth))
        fields += _fields(document, member, before=path, depth=depth + 1)
    return fields


def _example(document: Mapping[str, Any], path: str, method: str, body: Mapping[str, Any] | None, *, host: str) -> str:
    """A call that can be pasted into a terminal."""
    lines = [f"curl {host}{path}"] if method == "get" else [f"curl -X {method.upper()} {host}{path}"]
    lines.append("  -H 'Authorization: Bearer pk_…'")
    if method == "post":
        lines.append("  -H 'Idempotency-Key: 5f2b0c1e-8d0b-4b55-9a6c-0f5b8a1f2c3d'")
    if body:
        lines.append("  -H 'Content-Type: application/json'")
        value = json.dumps(_sample(document, body), ensure_ascii=False, indent=2)
        lines.append(f"  -d '{value}'")
    return " \\\n".join(lines)


_SAMPLES: dict[str, object] = {
    "string": "…", "integer": 1, "number": "1.00", "boolean": True, "date": "2026-03-02",
    "date-time": "2026-03-02T09:00:00+08:00",
}  # fmt: skip


def _sample(document: Mapping[str, Any], schema: Mapping[str, Any]) -> object:
    """A small value: required members, and those whose schema gives an example."""
    examples = schema.get("examples")
    if examples:
        return examples[0]
    resolved = _resolved(document, schema)
    if resolved.get("examples"):
        return resolved["examples"][0]
    if "enum" in resolved:
        return resolved["enum"][0]
    if resolved.get("type") == "array":
        return [_sample(document, resolved["items"])]
    if "properties" in resolved:
        required = set(resolved.get("required", ()))
        return {
            name: _sample(document, member)
            for name, member in resolved["properties"].items()
            if name in required or member.get("examples")
        }
    return _SAMPLES.get(resolved.get("format", ""), _SAMPLES.get(resolved.get("type", ""), "…"))
