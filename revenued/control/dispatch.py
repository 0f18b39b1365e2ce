"""From one request to one answer: finds the method, says who called it, and turns what it raised into a code."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from structlog.typing import FilteringBoundLogger

from revenued import wire
from revenued.control.protocol import (
    BAD_PARAMETER,
    INTERNAL_ERROR,
    NODE_NOT_REACHABLE,
    REFUSED,
    UNKNOWN_METHOD,
    BadRequest,
    MethodError,
    Request,
    error_answer,
    parse_request,
    result_answer,
)
from revenued.errors import NodeOutcomeUnknown, NodeUnreachable, RevenuedError, SettingError

LONGEST_LOGGED = 500


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at the other end of a connection, as the kernel says."""

    pid: int
    uid: int
    gid: int
    user: str
    """The name of `uid`, or the number as text when it has none."""


Method = Callable[[dict[str, Any], Caller], dict[str, Any]]


class Dispatcher:
    """Answers requests with the methods it was given; safe to use from several threads."""

    def __init__(self, methods: Mapping[str, Method], mutating: frozenset[str], log: FilteringBoundLogger) -> None:
        self._methods = methods
        self._mutating = mutating
        self._log = log

    def answer(self, raw: bytes, caller: Caller) -> bytes:
        """Return the framed answer to one JSON text; raises BrokenStream when it is not JSON."""
        try:
            request = parse_request(raw)
        except BadRequest as error:
            return wire.encode(error_answer(error.request_id, error.code, str(error)))
        method = self._methods.get(request.method)
        if method is None:
            name = repr(request.method[:80])
            return wire.encode(error_answer(request.id, UNKNOWN_METHOD, f"Unknown command {name}"))
        self._say_who_called(request, caller)
        try:
            return wire.encode(result_answer(request.id, method(request.params, caller)))
        except RevenuedError as error:
            code, message = _code(error), str(error)
            self._log.debug("control_method_refused", method=request.method, code=code, reason=message)
        except Exception:  # noqa: BLE001 - a defect in one method, or a result that is no JSON, must not end the others
            code, message = INTERNAL_ERROR, "internal error, see the daemon's log"
            self._log.error("control_method_failed", method=request.method, exc_info=True)
        return wire.encode(error_answer(request.id, code, message))

    def _say_who_called(self, request: Request, caller: Caller) -> None:
        who = {"method": request.method, "pid": caller.pid, "uid": caller.uid, "user": caller.user}
        if request.method in self._mutating:
            self._log.info("control_method_called", **who, params=json.dumps(request.params)[:LONGEST_LOGGED])
        else:
            self._log.debug("control_method_called", **who)


def _code(error: RevenuedError) -> int:
    if isinstance(error, MethodError):
        return error.code
    if isinstance(error, SettingError):
        return BAD_PARAMETER
    if isinstance(error, NodeUnreachable | NodeOutcomeUnknown):
        return NODE_NOT_REACHABLE
    return REFUSED
