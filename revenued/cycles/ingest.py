"""Forwards from the node into the store: once through history, then what is new; exactly once, whoever crashes when.

Each page and the cursor behind it are one transaction. The updated index is noted before the first page of history is
read, so whatever changes while history is read is delivered again by the updated index, and applying twice changes
nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from revenued import log
from revenued.cycles.recover import is_listed
from revenued.errors import IngestStopped, NodeNonsense
from revenued.model import ForwardPage, NodeInfo
from revenued.node.interface import ForwardIndex, Node
from revenued.store.engine import Store
from revenued.store.forwards import (
    Cursor,
    apply_forwards,
    is_same_forward,
    read_cursor,
    stored_count,
    write_cursor,
)
from revenued.store.recovered import offered_indexes

PAGE = 5000
LONGEST_PAUSE_SECONDS = 0.25
RESTORED = (
    ": the node was restored from an older copy. Nothing is read until you have looked; then go on with "
    "`revenuectl run ingest --new-history` (docs/troubleshooting.md)"
)


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one run brought."""

    inserted: int = 0
    updated: int = 0
    settled: int = 0
    pages: int = 0
    unreadable: int = 0
    caught_up: bool = False
    cursor: Cursor | None = None
    info: NodeInfo | None = None
    """What the node said of itself when this run began."""
    created_counter: int = 0
    """The node's own counters when this run began: what to wait beyond."""
    updated_counter: int = 0


Progress = Callable[[Cursor], None]


def ingest_forwards(
    node: Node,
    store: Store,
    *,
    node_id: str,
    now: Callable[[], datetime],
    stopping: Callable[[], bool],
    progress: Progress = lambda _cursor: None,
    compare_newest: bool = False,
) -> Ingested:
    """Read all that is new, in pages, until caught up or `stopping`.

    With `compare_newest` the newest row that we have is held against the node's first: counters alone do not tell a
    node that was restored from a copy and has since gone on beyond where it was. Raises IngestStopped when the node's
    history does not continue ours, until `accept_history`; NodeError when the node gives no answer.
    """
    # Hours are complete up to where the reading began: what ends while it goes on may be missing from it.
    caught_up_at = now()
    done = _begin(node, store, node_id)
    if compare_newest and done.cursor is not None:
        _refuse_another_history(node, store, done.cursor)
    for index in ("created", "updated"):
        done, finished = _read_pages(node, store, index, done, stopping=stopping, progress=progress)
        if not finished:
            return done
        if index == "created":
            done = _past_deleted(store, done)
    with store.write() as connection:
        latest = read_cursor(connection)
        assert latest is not None, "written by _begin"
        latest = replace(latest, caught_up_at=caught_up_at, hydrated_at=latest.hydrated_at or caught_up_at)
        write_cursor(connection, latest)
    progress(latest)
    return replace(done, caught_up=True, cursor=latest)


def _begin(node: Node, store: Store, node_id: str) -> Ingested:
    """Return where to go on from, after a look at whether the node is ours and its history continues ours."""
    info = node.info()
    if info.node_id != node_id:
        raise IngestStopped(f"the socket answers as node {info.node_id}, the database belongs to {node_id}")
    created = node.forward_counter("created")
    updated = node.forward_counter("updated")
    deleted = node.forward_counter("deleted")
    vanished = _has_vanished(node, store, deleted)
    with store.write() as connection:
        cursor = read_cursor(connection)
        if cursor is None:
            cursor = _first_cursor(created=created, updated=updated, deleted=deleted)
        reason = cursor.stopped_reason or _regression(cursor, created=created, updated=updated)
        if vanished:
            cursor = _looking_back(cursor)
        cursor = replace(cursor, stopped_reason=reason, deleted_index=max(deleted, cursor.deleted_index))
        write_cursor(connection, cursor)
    if reason is not None:
        raise IngestStopped(reason)
    return Ingested(cursor=cursor, info=info, created_counter=created, updated_counter=updated)


def _has_vanished(node: Node, store: Store, deleted: int) -> bool:
    """One of the forwards that were under way has ended and was deleted before we read how; asked only if any was."""
    with store.read() as connection:
        cursor = read_cursor(connection)
        if cursor is None or deleted <= cursor.deleted_index:
            return False
        under_way = offered_indexes(connection)
    return any(not is_listed(node, index) for index in under_way)


def _regression(cursor: Cursor, *, created: int, updated: int) -> str | None:
    """Return why the node's history cannot be the continuation of ours, None if it can."""
    read = (("created", cursor.created_index, created), ("updated", cursor.updated_index, updated))
    for name, ours, theirs in read:
        if theirs < ours:
            return f"the node's forwards {name} index is {theirs}, but {ours} was already read{RESTORED}"
    return None


def _refuse_another_history(node: Node, store: Store, cursor: Cursor) -> None:
    """Stop ingest if the node's row with our newest index is another forward than ours."""
    if cursor.created_index == 0:
        return
    page = node.forwards("created", start=cursor.created_index, limit=1)
    if not page.forwards or page.forwards[0].created_index != cursor.created_index:
        return  # it was deleted, or cannot be read
    with store.write() as connection:
        if is_same_forward(connection, page.forwards[0]):
            return
        reason = f"forward {cursor.created_index} of the node is another one than was already read{RESTORED}"
        write_cursor(connection, replace(cursor, stopped_reason=reason))
    raise IngestStopped(reason)


def _read_pages(
    node: Node,
    store: Store,
    index: ForwardIndex,
    done: Ingested,
    *,
    stopping: Callable[[], bool],
    progress: Progress,
) -> tuple[Ingested, bool]:
    """Read pages by one index until there are no more; return what was done, and whether the end was reached."""
    assert done.cursor is not None, "set by ingest_forwards"
    cursor = done.cursor
    while not stopping():
        start = (cursor.created_index if index == "created" else cursor.updated_index) + 1
        began = time.monotonic()
        page = node.forwards(index, start=start, limit=PAGE)
        took = time.monotonic() - began
        if page.last_index is None:
            return replace(done, cursor=cursor), True
        if page.last_index < start:
            raise NodeNonsense(f"listforwards: asked for {index} index from {start}, got {page.last_index}")
        with store.write() as connection:
            cursor = read_cursor(connection) or cursor
            applied = apply_forwards(connection, page.forwards)
            missing = _missing(connection, cursor, page) if index == "created" else 0
            cursor = _advanced(cursor, index, page, missing=missing)
            write_cursor(connection, cursor)
        for skipped in page.skipped:
            log.get().warning("forward_unreadable", what=skipped.what, why=skipped.why)
        done = replace(
            done,
            inserted=done.inserted + applied.inserted,
            updated=done.updated + applied.updated,
            settled=done.settled + applied.settled,
            pages=done.pages + 1,
            unreadable=done.unreadable + len(page.skipped),
            cursor=cursor,
        )
        progress(cursor)
        if len(page.forwards) + len(page.skipped) < PAGE:
            return done, True
        # A long answer keeps the node from everything else, so it gets as much time for itself as it gave to us.
        time.sleep(min(took, LONGEST_PAUSE_SECONDS))
    return done, False


def _past_deleted(store: Store, done: Ingested) -> Ingested:
    """Return what was done, with the cursor where the node's counter stood: rows up to there that are behind the last
    one listed were deleted.
    """
    assert done.cursor is not None, "set by _begin"
    if done.cursor.created_index >= done.created_counter:
        return done
    with store.write() as connection:
        cursor = read_cursor(connection) or done.cursor
        stored = stored_count(connection, after=cursor.created_index, through=done.created_counter)
        missing = done.created_counter - cursor.created_index - stored
        cursor = replace(
            _looking_back(cursor) if missing else cursor,
            created_index=done.created_counter,
            missing_count=cursor.missing_count + missing,
        )
        write_cursor(connection, cursor)
    return replace(done, cursor=cursor)


def _missing(connection: Connection, cursor: Cursor, page: ForwardPage) -> int:
    """Return how many indexes the page passes over that are not ours either: some came by the updated index before."""
    assert page.last_index is not None, "empty pages end the loop"
    passed = page.last_index - cursor.created_index - len(page.skipped)
    if passed <= len(page.forwards):
        return 0
    return max(0, passed - stored_count(connection, after=cursor.created_index, through=page.last_index))


def _advanced(cursor: Cursor, index: ForwardIndex, page: ForwardPage, *, missing: int) -> Cursor:
    assert page.last_index is not None, "empty pages end the loop"
    unreadable = cursor.unreadable_count + len(page.skipped)
    if index == "updated":
        return replace(cursor, updated_index=page.last_index, unreadable_count=unreadable)
    return replace(
        _looking_back(cursor) if missing else cursor,
        created_index=page.last_index,
        missing_count=cursor.missing_count + missing,
        unreadable_count=unreadable,
    )


def _looking_back(cursor: Cursor) -> Cursor:
    """Return the cursor with a note to look for deleted rows; what was deleted before our first reading stays lost."""
    if cursor.hydrated_at is None or cursor.recover_since is not None:
        return cursor
    return replace(cursor, recover_since=cursor.caught_up_at)


def _first_cursor(*, created: int, updated: int, deleted: int) -> Cursor:
    return Cursor(
        created_index=0,
        updated_index=updated,
        deleted_index=deleted,
        missing_count=0,
        recovered_count=0,
        recover_since=None,
        unreadable_count=0,
        target_index=created,
        hydrated_at=None,
        caught_up_at=None,
        stopped_reason=None,
    )
