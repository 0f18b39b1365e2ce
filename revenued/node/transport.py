"""One call to the node: a socket of its own, a deadline, the allow-list in front, and an outcome never guessed."""

import itertools
import os
from pathlib import Path
from typing import Any

from pyln.client import LightningRpc

from revenued import wire
from revenued.errors import NodeNonsense, NodeOutcomeUnknown, NodeRefused, NodeUnreachable
from revenued.node.permitted import permit_for
from revenued.node.printable import printable

MAX_MESSAGE_CHARACTERS = 300


class Transport(LightningRpc):  # type: ignore[misc]  # pyln ships without type information
    """pyln's client with the part replaced that hangs for ever, reads in quadratic time and asks for anything.

    Every method that pyln knows goes through `call`, so none can get around the allow-list. Threads may share one.
    pyln's `notify` and `reply_filter` keep their state on the object and are ignored here: give `filter` to `call`.
    """

    def __init__(self, socket_path: Path) -> None:
        super().__init__(str(socket_path))
        self._id_prefix = f"revenued-{os.getpid()}"
        self._numbers = itertools.count(1)

    def call(
        self,
        method: str,
        payload: Any = None,
        cmdprefix: str | None = None,
        filter: dict[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Return the result as the node wrote it; `timeout` is in seconds, by default what the method's kind gets.

        Raises CallNotPermitted before a socket is opened; NodeUnreachable when nothing was delivered;
        NodeOutcomeUnknown when no answer came, and lightningd may still do what was asked; NodeRefused; NodeNonsense.
        """
        params = {} if payload is None else payload
        if isinstance(params, dict):
            params = {name: value for name, value in params.items() if value is not None}
        permit = permit_for(method, params)
        request = {"jsonrpc": "2.0", "id": self._next_id(method, cmdprefix), "method": method, "params": params}
        if filter is not None:
            request["filter"] = filter
        try:
            answer = wire.exchange(
                self.socket_path, request, timeout=permit.timeout_seconds if timeout is None else timeout
            )
        except wire.NotDelivered as error:
            raise NodeUnreachable(f"{method}: {error}") from error
        except wire.NoAnswer as error:
            raise NodeOutcomeUnknown(f"{method}: {error}") from error
        return result_of(answer, method=method)

    def _next_id(self, method: str, cmdprefix: str | None) -> str:
        own = f"{self._id_prefix}:{method}#{next(self._numbers)}"
        return f"{cmdprefix}/{own}" if cmdprefix else own


def result_of(answer: dict[str, Any], *, method: str) -> Any:
    """Return the result in an answer to `method`; raises NodeRefused, NodeNonsense."""
    error = answer.get("error")
    if error is None and "result" in answer:
        return answer["result"]
    if isinstance(error, str):
        raise NodeRefused(f"{method}: {printable(error, most=MAX_MESSAGE_CHARACTERS)}")
    if not isinstance(error, dict):
        raise NodeNonsense(f"{method}: the answer is neither a result nor an error")
    code, message = error.get("code"), error.get("message")
    said = printable(message, most=MAX_MESSAGE_CHARACTERS) if isinstance(message, str) else "refused without a message"
    known_code = code if type(code) is int else None
    shown_code = "" if known_code is None else f" (code {known_code})"
    raise NodeRefused(f"{method}: {said}{shown_code}", code=known_code, data=error.get("data"))
