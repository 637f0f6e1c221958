"""Applying one chunk of a product file: set-based SQL over the chunk's table, in the chunk's transaction."""

from patron.core.catalog.rules import DEEPEST
from patron.kernel.intake.contract import ApplyCounts, Chunk, Cursor

# Columns of the file and of the product that go by the same name; what a file leaves empty is left as it is.
TEXTS = ("name", "brand", "unit", "barcode")
NUMBERS = ("list_price", "cost")


def apply_products(chunk: Chunk) -> ApplyCounts:
    """Insert what is new, fill in what changed, make the categories that are missing."""
    categories = _categories(chunk)
    added = chunk.execute(f"""
        INSERT INTO catalog_product (
            code, name, brand, unit, barcode, list_price, cost, category_id, is_active, attributes
        )
        SELECT t.code, coalesce(t.name, t.code), coalesce(t.brand, ''), coalesce(t.unit, ''), coalesce(t.barcode, ''),
            t.list_price, t.cost, c.id, true, '{{}}'::jsonb
        FROM {chunk.table} AS t
        LEFT JOIN catalog_category AS c ON c.path = t.category_path
        LEFT JOIN catalog_product AS p ON p.code = t.code
        WHERE p.id IS NULL
        ORDER BY t.row_no ON CONFLICT (code) DO NOTHING
    """)  # noqa: S608 (the engine's table)
    updated = _update(chunk)
    rows = chunk.execute(f"SELECT 1 FROM {chunk.table}")  # noqa: S608 (the engine's table)
    return ApplyCounts(
        added=added,
        updated=updated,
        unchanged=rows - added - updated,
        created={"categories": categories} if categories else {},
    )


def count_known_products(cursor: Cursor, table: str, _source: str) -> int:
    """How many of the codes in `table` are on file."""
    cursor.execute(f"SELECT count(*) FROM {table} AS t JOIN catalog_product AS p ON p.code = t.code")  # noqa: S608
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def _categories(chunk: Chunk) -> int:
    """Make the categories that are missing, level by level, and leave each row's whole path in `category_path`."""
    chunk.execute(f"ALTER TABLE {chunk.table} ADD COLUMN category_names text[], ADD COLUMN category_path text")
    chunk.execute(
        f"""
        UPDATE {chunk.table} SET category_names = (
            SELECT array_agg(left(name, 150) ORDER BY place) FROM (
                SELECT regexp_replace(btrim(part), '\\s+', ' ', 'g') AS name, place
                FROM unnest(
                    regexp_split_to_array(coalesce(category, ''), '\\s*[>|›»]\\s*|\\s+/\\s+')
                    || ARRAY[category_2, category_3]
                ) WITH ORDINALITY AS parts (part, place)
                WHERE btrim(part) <> '' ORDER BY place LIMIT {DEEPEST}
            ) AS named
        )
        """  # noqa: S608 (the engine's table)
    )
    chunk.execute(f"UPDATE {chunk.table} SET category_path = array_to_string(category_names, ' > ')")  # noqa: S608
    made = 0
    for depth in range(DEEPEST):
        made += chunk.execute(
            f"""
            INSERT INTO catalog_category (name, path, depth, parent_id)
            SELECT DISTINCT ON (wanted.path) wanted.name, wanted.path, {depth}, parent.id FROM (
                SELECT category_names[{depth + 1}] AS name,
                    array_to_string(category_names[1:{depth + 1}], ' > ') AS path,
                    array_to_string(category_names[1:{depth}], ' > ') AS above
                FROM {chunk.table} WHERE cardinality(category_names) > {depth}
            ) AS wanted LEFT JOIN catalog_category AS parent ON parent.path = wanted.above
            ON CONFLICT (path) DO NOTHING
            """  # noqa: S608 (the engine's table)
        )
    return made


def _update(chunk: Chunk) -> int:
    """Fill in what the file says differently, of products that were there before."""
    columns = [name for name in (*TEXTS, *NUMBERS) if name in chunk.columns]
    changes = [f"{name} = coalesce(t.{name}, p.{name})" for name in columns]
    differs = [f"coalesce(t.{name}, p.{name}) IS DISTINCT FROM p.{name}" for name in columns]
    if chunk.columns.intersection({"category", "category_2", "category_3"}):
        changes.append("category_id = coalesce(c.id, p.category_id)")
        differs.append("coalesce(c.id, p.category_id) IS DISTINCT FROM p.category_id")
    if not changes:
        return 0
    return chunk.execute(
        f"""
        UPDATE catalog_product AS p SET {", ".join(changes)}
        FROM {chunk.table} AS t LEFT JOIN catalog_category AS c ON c.path = t.category_path
        WHERE p.code = t.code AND ({" OR ".join(differs)})
        """  # noqa: S608 (columns and table are ours)
    )
