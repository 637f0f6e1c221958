"""The rulebooks of versions, read once in a process: a version is never changed."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection

from patron.business.loyalty.baskets import ProductFacts, categories_of
from patron.business.loyalty.models import ProgrammeVersion
from patron.business.loyalty.rules.earning import Rulebook
from patron.business.loyalty.rules.terms import Terms

_MOST = 500
_read: dict[tuple[int, str], Rulebook] = {}

DIGEST = "md5(r.terms::text)"
"""What to select of a version `r` besides its id: `rulebook_of` asks for both."""


def rulebook_of(version_id: int, digest: str) -> Rulebook:
    """The rulebook of a version."""
    key = (version_id, digest)
    if key not in _read:
        if len(_read) >= _MOST:
            _read.clear()
        version = ProgrammeVersion.objects.get(pk=version_id)
        _read[key] = Rulebook(Terms.read(version.terms), version_id)
    return _read[key]


def rulebook_read(version_id: int) -> Rulebook | None:
    """The rulebook of a version that this process has used already, None for another. No query."""
    return next((rulebook for (key, _digest), rulebook in reversed(_read.items()) if key == version_id), None)


def rulebook_at(programme_id: int, at: datetime) -> Rulebook | None:
    """The rulebook in force at an instant; None before the first version."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT r.id, {DIGEST} FROM loyalty_programmeversion r "
            "WHERE r.programme_id = %s AND r.valid_from <= %s ORDER BY r.valid_from DESC, r.version DESC LIMIT 1",
            [programme_id, at],
        )
        row = cursor.fetchone()
    return None if row is None else rulebook_of(*row)


def marked_products(rulebook: Rulebook) -> dict[int, int]:
    """The products on file that any rule names or excludes, by id, and their marks (`Rulebook.mark`)."""
    if not rulebook.needs_marks:
        return {}
    filters = [bonus.products for bonus in rulebook.bonuses if not bonus.products.is_open]
    if rulebook.terms.excluded is not None:
        filters.append(rulebook.terms.excluded)
    categories = _all(one.categories for one in filters)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.id, p.code, p.brand, coalesce(c.path, ''), coalesce(p.attributes ->> 'kind', '')
            FROM catalog_product p LEFT JOIN catalog_category c ON c.id = p.category_id
            WHERE p.attributes ->> 'kind' = ANY(%s) OR p.code = ANY(%s) OR p.brand = ANY(%s) OR p.category_id IN (
                SELECT n.id FROM catalog_category n, unnest(%s::text[]) AS wanted (path)
                WHERE n.path = wanted.path OR starts_with(n.path, wanted.path || ' > '))
            """,
            [
                sorted(rulebook.terms.excluded_kinds),
                _all(one.products for one in filters),
                _all(one.brands for one in filters),
                categories,
            ],
        )
        marks = {
            product_id: rulebook.mark(ProductFacts(code, brand, categories_of(path), kind))
            for product_id, code, brand, path, kind in cursor.fetchall()
        }
    return {product_id: mark for product_id, mark in marks.items() if mark}


def product_facts(codes: Sequence[str]) -> dict[str, ProductFacts]:
    """What rules may ask of products, by code; those not on file are left out. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.code, p.brand, coalesce(c.path, ''), coalesce(p.attributes ->> 'kind', '')
            FROM catalog_product p LEFT JOIN catalog_category c ON c.id = p.category_id
            WHERE p.code = ANY(%s)
            """,
            [list(codes)],
        )
        return {
            code: ProductFacts(code, brand, categories_of(path), kind) for code, brand, path, kind in cursor.fetchall()
        }


def _all(sets: Iterable[frozenset[str]]) -> list[str]:
    return sorted(frozenset().union(*sets))
