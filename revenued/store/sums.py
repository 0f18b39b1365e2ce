"""Adds forwards that have just become final to the hourly, daily and pair sums, from their stored rows."""

from collections.abc import Sequence

from sqlalchemy import Connection

from revenued.units import MICROS_PER_DAY, MICROS_PER_HOUR

TEMPORARY_CHANNEL_FAILURE = 0x1007
"""BOLT 4: what we answer when a channel of ours could not carry the amount."""

CHUNK = 900
"""Indexes in one statement; every SQLite takes at least 999 parameters."""

_SETTLED = "status = 'settled'"
_FAILED = "status IN ('failed', 'local_failed')"
_OURS = "out_scid IS NOT NULL"


def _counted(condition: str) -> str:
    return f"SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)"


_LIQUIDITY = f"status = 'local_failed' AND failcode = {TEMPORARY_CHANNEL_FAILURE}"

# Side, which forwards, and what each adds to which sum. Four narrow statements are cheaper than one wide one, because
# most forwards settle and most of a channel's hours see traffic one way.
_PARTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("in_scid", _SETTLED, {"in_count": "COUNT(*)", "in_msat": "SUM(in_msat)", "sourced_msat": "SUM(fee_msat)"}),
    (
        "out_scid",
        f"{_SETTLED} AND {_OURS}",
        {"out_count": "COUNT(*)", "out_msat": "SUM(out_msat)", "earned_msat": "SUM(fee_msat)"},
    ),
    (
        "in_scid",
        _FAILED,
        {
            "in_failed_count": _counted("status = 'failed'"),
            "in_local_failed_count": _counted("status = 'local_failed'"),
        },
    ),
    (
        "out_scid",
        f"{_FAILED} AND {_OURS}",
        {
            "out_failed_count": _counted("status = 'failed'"),
            "out_local_failed_count": _counted("status = 'local_failed'"),
            "out_liquidity_failed_count": _counted(_LIQUIDITY),
            "out_liquidity_failed_msat": f"SUM(CASE WHEN {_LIQUIDITY} THEN in_msat ELSE 0 END)",
        },
    ),
)
_PAIRS = {
    "settled_count": _counted(_SETTLED),
    "in_msat": f"SUM(CASE WHEN {_SETTLED} THEN in_msat ELSE 0 END)",
    "out_msat": f"SUM(CASE WHEN {_SETTLED} THEN out_msat ELSE 0 END)",
    "fee_msat": f"SUM(CASE WHEN {_SETTLED} THEN fee_msat ELSE 0 END)",
    "failed_count": _counted("status = 'failed'"),
}


def _adding(table: str, period: str, length: int, sides: dict[str, str], forwards: str, sums: dict[str, str]) -> str:
    """Return the statement that adds the chosen forwards to `table`; `sides` are its key columns and where they lie."""
    keys = (period, *sides)
    read = ", ".join((*sides.values(), *(f"{{sign}}{value}" for value in sums.values())))
    grouped = ", ".join(str(place + 1) for place in range(len(keys)))
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
    return (
        f"INSERT INTO {table} ({', '.join((*keys, *sums))}) "  # noqa: S608 (constants)
        f"SELECT COALESCE(resolved_at, received_at) / {length} * {length}, {read} "
        f"FROM forwards WHERE {{chosen}} AND {forwards} GROUP BY {grouped} "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}"
    )


_STATEMENTS = (
    *(
        _adding(table, period, length, {"scid": side}, forwards, sums)
        for table, period, length in (
            ("forward_hours", "hour_at", MICROS_PER_HOUR),
            ("forward_days", "day_at", MICROS_PER_DAY),
        )
        for side, forwards, sums in _PARTS
    ),
    _adding(
        "pair_days",
        "day_at",
        MICROS_PER_DAY,
        {"in_scid": "in_scid", "out_scid": "out_scid"},
        f"status IN ('settled', 'failed') AND {_OURS}",
        _PAIRS,
    ),
)


def add_to_sums(connection: Connection, indexes: Sequence[int]) -> None:
    """Add the forwards with these created indexes, which have just become final; those still offered add nothing.

    A `range` stands for a page of which no row was there before; otherwise each index is named.
    """
    _count_in(connection, indexes, sign="")


def take_from_sums(connection: Connection, indexes: Sequence[int]) -> None:
    """Undo `add_to_sums` for forwards whose rows are about to be replaced."""
    _count_in(connection, indexes, sign="-")


def _count_in(connection: Connection, indexes: Sequence[int], *, sign: str) -> None:
    if isinstance(indexes, range):
        _run(connection, "created_index BETWEEN ? AND ?", (indexes[0], indexes[-1]), sign)
        return
    for start in range(0, len(indexes), CHUNK):
        chosen = tuple(indexes[start : start + CHUNK])
        _run(connection, f"created_index IN ({', '.join('?' * len(chosen))})", chosen, sign)


def _run(connection: Connection, chosen: str, parameters: tuple[int, ...], sign: str) -> None:
    for statement in _STATEMENTS:
        sql = statement.replace("{chosen}", chosen).replace("{sign}", sign)
        connection.exec_driver_sql(sql if connection.dialect.name == "sqlite" else sql.replace("?", "%s"), parameters)
