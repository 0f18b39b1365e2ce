"""The simulated node's forwards: dense indexes, every change counted, rows deleted only when told to."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from revenued.model import ForwardStatus
from revenued.node.interface import Counter, ForwardIndex
from revenued.units import Micros


@dataclass(slots=True)
class ForwardRow:
    """One forward as it is now."""

    created_index: int
    in_scid: str
    in_htlc_id: int
    in_msat: int
    status: ForwardStatus
    received_at: Micros
    out_scid: str | None = None
    out_htlc_id: int | None = None
    out_msat: int | None = None
    failcode: int | None = None
    resolved_at: Micros | None = None
    updated_index: int = 0
    """0 for a row that never changed."""

    @property
    def fee_msat(self) -> int | None:
        """Return what the forward pays us; None when it never got as far as an outgoing HTLC."""
        return None if self.out_msat is None else self.in_msat - self.out_msat


ForwardListener = Callable[[Counter, int, ForwardRow], None]


class ForwardBook:
    """All forwards that the node still remembers."""

    def __init__(self) -> None:
        self.counters: dict[Counter, int] = {"created": 0, "updated": 0, "deleted": 0}
        self.fees_collected_msat = 0
        """Fees of every settled forward, those deleted since included."""
        self.listeners: list[ForwardListener] = []
        self._rows: dict[int, ForwardRow] = {}
        self._created: list[int] = []
        self._updates: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: ForwardRow) -> ForwardRow:
        """Remember a new forward under the next created index, which it is given here."""
        row.created_index = self._count("created")
        self._rows[row.created_index] = row
        self._created.append(row.created_index)
        self._tell("created", row.created_index, row)
        return row

    def resolve(self, row: ForwardRow, status: ForwardStatus, *, at: Micros) -> None:
        """Give a forward its final status."""
        row.status, row.resolved_at = status, at
        row.updated_index = self._count("updated")
        if status is ForwardStatus.SETTLED:
            self.fees_collected_msat += row.fee_msat or 0
        if row.created_index in self._rows:
            self._updates.append((row.updated_index, row.created_index))
        self._tell("updated", row.updated_index, row)

    def delete(self, condemned: Callable[[ForwardRow], bool]) -> int:
        """Forget every row for which `condemned` is true and return how many they were."""
        gone = [row for row in self._rows.values() if condemned(row)]
        for row in gone:
            del self._rows[row.created_index]
        self._created = list(self._rows)
        self._updates = [pair for pair in self._updates if pair[1] in self._rows]
        for row in gone:
            self._tell("deleted", self._count("deleted"), row)
        return len(gone)

    def rows(self) -> list[ForwardRow]:
        """Return every row, by created index."""
        return list(self._rows.values())

    def page(
        self, index: ForwardIndex, *, start: int = 0, limit: int | None = None, status: ForwardStatus | None = None
    ) -> list[ForwardRow]:
        """Return the first `limit` rows whose index is at least `start`, in index order.

        Rows that never changed have the updated index 0: they are on the updated list only when `start` is 0.
        """
        order = self._created[bisect_left(self._created, start) :] if index == "created" else self._updated_since(start)
        rows = (self._rows[created_index] for created_index in order)
        return list(islice((row for row in rows if status is None or row.status is status), limit))

    def _updated_since(self, start: int) -> list[int]:
        untouched = [] if start > 0 else [row.created_index for row in self._rows.values() if row.updated_index == 0]
        begin = bisect_left(self._updates, (start, 0))
        return untouched + [created_index for _, created_index in self._updates[begin:]]

    def _count(self, counter: Counter) -> int:
        self.counters[counter] += 1
        return self.counters[counter]

    def _tell(self, counter: Counter, index: int, row: ForwardRow) -> None:
        for listener in tuple(self.listeners):
            listener(counter, index, row)
