"""Calls the methods of a running daemon over its control socket, one connection a call."""

import errno
import os
from enum import StrEnum
from pathlib import Path
from typing import Any

from revenued import wire
from revenued.control.protocol import INTERNAL_ERROR, MethodError
from revenued.errors import RevenuedError

LONGEST_ANSWER = 256 << 20


class Absence(StrEnum):
    """Why a daemon did not answer."""

    NO_SOCKET = "there is no such socket"
    NOBODY_LISTENS = "nobody listens on it"
    NOT_PERMITTED = "permission denied"
    NO_CONNECTION = "it cannot be connected to"
    NO_ANSWER = "it was reached but did not answer; what was asked may still be done"


class DaemonUnreachable(RevenuedError):
    """The daemon gave no answer: this call stops. Only with NO_ANSWER may it have been carried out."""

    def __init__(self, path: Path, absence: Absence, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path = path
        self.absence = absence
        self.detail = detail


class ControlClient:
    """A caller of the daemon that listens on `path`. `timeout` in seconds is for one whole call."""

    def __init__(self, path: Path | str, timeout: float) -> None:
        self._path = Path(path)
        self._timeout = timeout

    def call(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of `method`; raises DaemonUnreachable and MethodError."""
        request = {
            "jsonrpc": "2.0",
            "id": f"revenuectl:{method}#{os.getpid()}",
            "method": method,
            "params": params or {},
        }
        try:
            answer = wire.exchange(self._path, request, timeout=self._timeout, limit=LONGEST_ANSWER)
        except wire.NotDelivered as error:
            raise _not_delivered(self._path, error) from error
        except wire.WireError as error:
            raise DaemonUnreachable(self._path, Absence.NO_ANSWER, str(error)) from error
        if answer.get("error") is not None:
            raise _method_error(answer["error"])
        result = answer.get("result")
        if not isinstance(result, dict):
            raise DaemonUnreachable(self._path, Absence.NO_ANSWER, "its answer is not one that revenued gives")
        return result


def _method_error(error: object) -> MethodError:
    if not isinstance(error, dict) or not isinstance(code := error.get("code"), int):
        return MethodError(INTERNAL_ERROR, f"an error without a code: {error!r:.200}")
    return MethodError(code, str(error.get("message", "")))


def _not_delivered(path: Path, error: wire.NotDelivered) -> DaemonUnreachable:
    cause = error.__cause__
    number = cause.errno if isinstance(cause, OSError) else None
    absence = {
        errno.ENOENT: Absence.NO_SOCKET,
        errno.ENOTDIR: Absence.NO_SOCKET,
        errno.ECONNREFUSED: Absence.NOBODY_LISTENS,
        errno.EACCES: Absence.NOT_PERMITTED,
        errno.EPERM: Absence.NOT_PERMITTED,
    }.get(number or 0, Absence.NO_CONNECTION)
    return DaemonUnreachable(path, absence, str(error).removeprefix(f"{path}: "))
