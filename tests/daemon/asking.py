"""The methods of a house, asked as the control server asks them."""

from typing import Any

from revenued.control.dispatch import Caller
from revenued.daemon.commands import methods
from revenued.daemon.house import House

CALLER = Caller(pid=1, uid=1000, gid=1000, user="somebody")


def ask(house: House, method: str, **params: Any) -> dict[str, Any]:
    """Return the result of revenue-`method`."""
    return methods(house)[f"revenue-{method}"](params, CALLER)
