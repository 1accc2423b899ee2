"""Making many rows from rows that are there: one INSERT … SELECT, nothing passes through Python."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models


def insert_from(
    model: type[models.Model],
    columns: Mapping[str, str],
    source: str,
    params: Sequence[Any] = (),
) -> int:
    """Insert a row of `model` for each row of `source`; return how many.

    `columns` maps a field's attname to the SQL that makes it, `source` is all that follows SELECT: `FROM … ORDER BY …`,
    with `params` for its `%s`. Both are constant text of the caller, never anybody's input. Fields that are not named
    get their default, as a row made in Python does; constraints and triggers hold as for any other row.
    """
    fields = [f for f in model._meta.concrete_fields if not f.primary_key or f.attname in columns]
    quote = connection.ops.quote_name
    values, given = [], []
    for field in fields:
        if field.attname in columns:
            values.append(columns[field.attname])
        else:
            values.append("%s")
            given.append(field.get_db_prep_save(field.get_default(), connection))
    names = ", ".join(quote(str(field.column)) for field in fields)
    table = quote(model._meta.db_table)
    sql = f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} {source}"
    with connection.cursor() as cursor:
        cursor.execute(sql, [*given, *params])
        return cursor.rowcount
