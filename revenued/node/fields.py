"""Reading one JSON object field by field: a value is of the right type and in range, or it is not there at all."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from revenued.errors import NodeNonsense
from revenued.node.printable import printable
from revenued.units import MAX_MONEY_MSAT, Msat, scid_to_key

MAX_INDEX = 2**63 - 1
"""What an SQL integer holds; the node counts to twice that, and never gets there."""
MAX_U32 = 2**32 - 1

_SUFFIXED_MSAT = re.compile("([0-9]{1,20})msat")

Value = TypeVar("Value")


class Unreadable(ValueError):
    """One field is missing or wrong: what it belongs to is skipped. The message names the field, never its value."""


def to_whole(value: object, name: str, *, most: int) -> int:
    """Return `value` if it is a whole number from 0 to `most`; JSON's true is none. Raises Unreadable."""
    if value is None:
        raise Unreadable(f"{name} is missing")
    if type(value) is not int:
        raise Unreadable(f"{name} is not a whole number")
    if value < 0:
        raise Unreadable(f"{name} is negative")
    if value > most:
        raise Unreadable(f"{name} is above {most}")
    return value


def to_amount(value: object, name: str, *, most: int = MAX_MONEY_MSAT) -> Msat:
    """Return an amount, also from the "123msat" of nodes before v23.05; raises Unreadable."""
    if isinstance(value, str) and (written := _SUFFIXED_MSAT.fullmatch(value)):
        value = int(written[1])
    return Msat(to_whole(value, name, most=most))


def rows_of(answer: object, name: str, *, method: str) -> list[Any]:
    """Return the list `name` of a whole answer; raises NodeNonsense, because without it nothing is known."""
    rows = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise NodeNonsense(f"{method}: the answer has no list {name}")
    return rows


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object of an answer, and where in its row it stands. Every method raises Unreadable.

    A field that is null counts as missing.
    """

    row: Mapping[str, Any]
    path: str = ""

    @classmethod
    def of(cls, value: object, path: str = "") -> "Fields":
        """Return the fields of `value`, which must be an object."""
        if not isinstance(value, dict):
            raise Unreadable(f"{path.rstrip('.') or 'it'} is not an object")
        return cls(value, path)

    def optional(self, read: Callable[[str], Value], name: str) -> Value | None:
        """Return what `read`, one of the methods below, makes of a field; None when it is missing, not when wrong."""
        return None if self.row.get(name) is None else read(name)

    def whole(self, name: str, *, most: int = MAX_INDEX) -> int:
        """Return a whole number, 0 or more."""
        return to_whole(self.row.get(name), self.path + name, most=most)

    def u32(self, name: str) -> int:
        """Return a whole number that fits 32 bits."""
        return self.whole(name, most=MAX_U32)

    def money(self, name: str) -> Msat:
        """Return an amount that can exist."""
        return to_amount(self.row.get(name), self.path + name)

    def limit(self, name: str) -> Msat | None:
        """Return a bound on amounts; None when it is missing or above all the money there is, so no bound."""
        if self.row.get(name) is None:
            return None
        bound = to_amount(self.row[name], self.path + name, most=2**64 - 1)
        return bound if bound <= MAX_MONEY_MSAT else None

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        value = self._present(name)
        if not isinstance(value, bool):
            raise self._problem(name, "is not true or false")
        return value

    def text(self, name: str, *, most: int = 64) -> str:
        """Return a text, made printable and cut to `most` characters."""
        value = self._present(name)
        if not isinstance(value, str):
            raise self._problem(name, "is not a text")
        return printable(value, most=most)

    def channel_id(self, name: str) -> str:
        """Return 64 hexadecimal digits."""
        return self._hexadecimal(name, 64)

    def txid(self, name: str) -> str:
        """Return 64 hexadecimal digits."""
        return self._hexadecimal(name, 64)

    def node_id(self, name: str) -> str:
        """Return 66 hexadecimal digits."""
        return self._hexadecimal(name, 66)

    def scid(self, name: str) -> str:
        """Return a short channel id, or an alias in its form."""
        value = self._present(name)
        try:
            if isinstance(value, str) and len(value) <= 24:
                scid_to_key(value)
                return value
        except ValueError:
            pass
        raise self._problem(name, "is not a short channel id")

    def section(self, name: str) -> "Fields":
        """Return an object inside this one; one without fields when it is missing."""
        value = self.row.get(name)
        return Fields.of({} if value is None else value, f"{self.path}{name}.")

    def sections(self, name: str) -> list["Fields"]:
        """Return a list of objects inside this one; an empty one when it is missing."""
        value = self.row.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._problem(name, "is not a list")
        return [Fields.of(item, f"{self.path}{name}[{place}].") for place, item in enumerate(value)]

    def _hexadecimal(self, name: str, digits: int) -> str:
        value = self._present(name)
        if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{digits}}}", value):
            raise self._problem(name, f"is not {digits} hexadecimal digits")
        return value

    def _present(self, name: str) -> object:
        value = self.row.get(name)
        if value is None:
            raise self._problem(name, "is missing")
        return value

    def _problem(self, name: str, what: str) -> Unreadable:
        return Unreadable(f"{self.path}{name} {what}")
