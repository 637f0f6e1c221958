"""Branches as callers see them."""

from pydantic import Field

from patron.core.accounts.models import Branch
from patron.touchpoints.api.schemas.parts import Number, Output


class BranchOut(Output):
    """A place where customers are met."""

    code: str
    name: str
    address: str
    city: str
    country: str = Field(description="ISO 3166-1 alpha-2.")
    latitude: Number | None
    longitude: Number | None
    time_zone: str = Field(description="IANA name, for example Asia/Hong_Kong.")
    phone: str

    @classmethod
    def of(cls, branch: Branch) -> "BranchOut":
        return cls.model_construct(
            code=branch.code,
            name=branch.name,
            address=branch.address,
            city=branch.city,
            country=branch.country,
            latitude=branch.latitude,
            longitude=branch.longitude,
            time_zone=branch.time_zone,
            phone=branch.phone,
        )
