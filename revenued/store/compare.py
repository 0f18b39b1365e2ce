"""Holds stored forwards against the node's own rows, and replaces what differs together with its sums."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from revenued.clock import to_micros
from revenued.model import FINAL_STATUSES, Forward
from revenued.store.forwards import apply_forwards
from revenued.store.sums import take_from_sums
from revenued.store.tables import forwards, ingest_cursor

_COMPARED = ("in_scid", "in_msat", "out_msat", "fee_msat", "status")


@dataclass(frozen=True, slots=True)
class Difference:
    """One forward that is stored differently from what the node says, or not at all."""

    created_index: int
    what: str


@dataclass(frozen=True, slots=True)
class Compared:
    """How one page of the node's rows stands in the store."""

    differences: tuple[Difference, ...]
    only_here: int
    """Rows that we have and the node has deleted; that is no difference."""
    pruned: int
    """Rows that the node has and we have let go because of their age; their sums are kept."""


def compare_forwards(
    connection: Connection, page: Sequence[Forward], *, within: range, pruned_before: int, updated_until: int
) -> Compared:
    """Compare the node's rows that have a created index `within` a range with ours.

    `pruned_before` is the received_at (in microseconds) before which retention has deleted rows. What ended after the
    updated index `updated_until` is still to be read, so it is no difference.
    """
    columns = (
        forwards.c.created_index,
        forwards.c.out_scid,
        forwards.c.asked_scid,
        *(forwards.c[c] for c in _COMPARED),
    )
    found = connection.execute(select(*columns).where(forwards.c.created_index.between(within[0], within[-1])))
    stored = {row.created_index: row for row in found}
    differences, pruned = [], 0
    for forward in page:
        row = stored.pop(forward.created_index, None)
        if row is not None and (forward.updated_index or 0) > updated_until:
            continue
        if row is not None:
            unlike = [name for name in _COMPARED if getattr(row, name) != getattr(forward, name)]
            if (row.out_scid if row.out_scid is not None else row.asked_scid) != forward.out_scid:
                unlike.append("out_scid")
            if unlike:
                told = ", ".join(f"{name} {getattr(row, name)} for {getattr(forward, name)}" for name in unlike)
                differences.append(Difference(forward.created_index, f"stored {told}"))
        elif forward.received_at < pruned_before and forward.status in FINAL_STATUSES:
            pruned += 1
        else:
            differences.append(Difference(forward.created_index, "not stored"))
    return Compared(tuple(differences), only_here=len(stored), pruned=pruned)


def replace_forwards(connection: Connection, rows: Sequence[Forward]) -> None:
    """Put the node's rows in the place of ours, and their amounts in the place of ours in every sum."""
    indexes = [forward.created_index for forward in rows]
    take_from_sums(connection, indexes)
    for index in indexes:
        connection.execute(delete(forwards).where(forwards.c.created_index == index))
    apply_forwards(connection, rows)


def pruned_before(connection: Connection) -> int:
    """Return the received_at, in microseconds, before which retention has ever deleted rows; 0 if it never has."""
    found = connection.execute(select(ingest_cursor.c.pruned_before)).scalar_one_or_none()
    return 0 if found is None else to_micros(found)
