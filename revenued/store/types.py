"""Column types that behave the same on SQLite and PostgreSQL."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from revenued.clock import from_micros, to_micros

Key = BigInteger().with_variant(Integer, "sqlite")
"""A primary key: SQLite gives row ids only to columns declared INTEGER."""


def to_instant(value: datetime | None) -> int | None:
    """Return an instant as it is stored; raises ValueError for a naive one: which instant it means cannot be known."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a datetime without time zone cannot be stored")
    return to_micros(value)


def to_json(value: Any) -> str | None:
    """Return a value as canonical text, so that equal values are equal texts; raises ValueError for NaN."""
    return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as integer microseconds UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """Store microseconds."""
        return to_instant(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return an aware datetime in UTC."""
        return None if value is None else from_micros(value)


class Json(TypeDecorator[Any]):
    """A JSON value as canonical text, the same bytes on every database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Store canonical text."""
        return to_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Return what was stored."""
        return None if value is None else json.loads(value)
