"""Refusals as `application/problem+json` (RFC 9457), in the language that the caller asks for."""

import json
from collections.abc import Mapping, Sequence

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from patron.kernel.errors import DomainError

MEDIA_TYPE = "application/problem+json"


class FieldFault(BaseModel):
    """One thing that is wrong with one part of the request."""

    place: str = Field(serialization_alias="in", description="Where the field is: body, query, path or header.")
    field: str = Field(description="The path of the field, for example `lines[0].quantity`.")
    code: str = Field(description="A stable word for what is wrong, for example `missing`.")
    message: str = Field(description="What is wrong, in the language asked for.")


class Problem(BaseModel):
    """Why a request was refused, and what to do about it."""

    type: str = Field(description="A URI that names the kind of problem: `urn:patron:problem:` and the code.")
    title: str = Field(description="The kind of problem in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What was wrong with this request, and what to do.")
    code: str = Field(description="A stable word for the kind of problem; programs should look at this.")
    instance: str = Field(description="The address that was asked.")
    request_id: str = Field(description="The number of this request in the logs.")
    errors: list[FieldFault] = Field(default_factory=list, description="The fields at fault, if any.")
    details: dict[str, object] = Field(default_factory=dict, description="Further facts for programs.")


class MethodNotAllowed(DomainError):
    """The address exists, the method does not."""

    code = "method_not_allowed"
    status = 405
    message = _("This address does not answer that method.")


class Unauthorised(DomainError):
    """No key, or one that is not valid."""

    code = "unauthorised"
    status = 401
    message = _("Send a valid key: Authorization: Bearer pk_…")


class TooManyRequests(DomainError):
    """More requests in a minute than are allowed. Takes the seconds until there are new ones."""

    code = "too_many_requests"
    status = 429
    message = _("Too many requests. Wait for the number of seconds in Retry-After, then go on.")

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(details={"retry_after": retry_after})


class UnsupportedMediaType(DomainError):
    """The body is of another kind than JSON."""

    code = "unsupported_media_type"
    status = 415
    message = _("Send the body as application/json.")


class BodyTooLarge(DomainError):
    """The body is larger than the installation accepts."""

    code = "body_too_large"
    status = 413
    message = _("The body of the request is too large. Send less at once.")


class UnreadableBody(DomainError):
    """The body is not JSON."""

    code = "unreadable_body"
    status = 400
    message = _("The body of the request is not valid JSON in UTF-8.")


def problem(
    request: HttpRequest,
    *,
    status: int,
    code: str,
    title: str | Promise,
    detail: str | Promise = "",
    errors: Sequence[FieldFault] = (),
    details: Mapping[str, object] | None = None,
) -> HttpResponse:
    """The answer for a refusal. `detail` defaults to the title."""
    content = Problem(
        type=f"urn:patron:problem:{code}",
        title=str(title),
        status=status,
        detail=str(detail or title),
        code=code,
        instance=request.path,
        request_id=str(getattr(request, "request_id", "")),
        errors=list(errors),
        details=dict(details or {}),
    ).model_dump(mode="json", by_alias=True)
    return HttpResponse(json.dumps(content, ensure_ascii=False), content_type=MEDIA_TYPE, status=status)


def problem_of(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The answer for a `DomainError`: its own code, status and words. `details["field"]` names the field at fault."""
    details = {name: value for name, value in error.details.items() if name != "field"}
    field = error.details.get("field")
    faults = [FieldFault(place="body", field=str(field), code=error.code, message=str(error.message))] if field else []
    response = problem(
        request,
        status=error.status,
        code=error.code,
        title=type(error).message,
        detail=error.message,
        errors=faults,
        details={name: _plain(value) for name, value in details.items()},
    )
    if "retry_after" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after"])
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="patron"'
    return response


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    return str(value)
