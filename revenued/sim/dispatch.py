"""Calls on the simulated node carried out one at a time; a wait is kept until a forward ends it."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from revenued.clock import Clock
from revenued.errors import NodeRefused
from revenued.node.interface import Counter as ForwardCounter
from revenued.sim import commands
from revenued.sim.commands import WaitRequest
from revenued.sim.connection import Connection
from revenued.sim.faults import Fault, Faults
from revenued.sim.forwards import ForwardRow
from revenued.sim.shapes import Json
from revenued.sim.world import World

INVALID_REQUEST = -32600


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A `wait` that has not been answered."""

    connection: Connection
    request_id: object
    request: WaitRequest


class Dispatch:
    """Between the connections and the world, which it brings up to the clock before each call."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world = world
        self.calls: Counter[str] = Counter()
        self.faults = Faults()
        self.connections: set[Connection] = set()
        self.frozen = False
        self._clock = clock
        self._waiting: list[Waiting] = []

    def advance(self) -> None:
        """Bring the world up to the clock."""
        self.world.advance(self._clock.now())

    def connected(self, connection: Connection) -> None:
        """A caller has connected."""
        self.connections.add(connection)
        connection.hold(self.frozen)

    def disconnected(self, connection: Connection) -> None:
        """A caller is gone, and nobody waits for its answers any more."""
        self.connections.discard(connection)
        self._waiting = [waiting for waiting in self._waiting if waiting.connection is not connection]

    def set_frozen(self, frozen: bool) -> None:
        """Stop or go on reading what callers send."""
        self.frozen = frozen
        for connection in tuple(self.connections):
            connection.hold(frozen)

    def drop_connections(self) -> None:
        """Close every connection without a word."""
        for connection in tuple(self.connections):
            connection.abort()

    def forward_changed(self, counter: ForwardCounter, value: int, row: ForwardRow) -> None:
        """Answer the waits that this change of a forward ends."""
        for waiting in tuple(self._waiting):
            event = waiting.request.ended_by(counter, value, row)
            if event is not None:
                self._waiting.remove(waiting)
                _answer(waiting.connection, waiting.request_id, result=event)

    def misunderstood(self, connection: Connection, why: str) -> None:
        """Answer bytes that are no request."""
        _refuse(connection, None, NodeRefused(why, INVALID_REQUEST))

    def carry_out(self, connection: Connection, request: dict[str, Any]) -> None:
        """Answer one request, now or when what it waits for has happened."""
        complaint = _complaint(request)
        if complaint is not None:
            known_id = request.get("id") if isinstance(request.get("id"), str | int) else None
            _refuse(connection, known_id, NodeRefused(complaint, INVALID_REQUEST))
            return
        method, request_id = request["method"], request["id"]
        self.calls[method] += 1
        fault = self.faults.next_for(method)
        if fault is not None and fault.raw is not None:
            connection.write(fault.raw)
            connection.close()
            return
        try:
            result = self._result(fault, method, request["params"])
        except NodeRefused as refusal:
            _refuse(connection, request_id, refusal)
            return
        if fault is not None:
            connection.abort()
        elif isinstance(result, WaitRequest):
            self._waiting.append(Waiting(connection, request_id, result))
        else:
            _answer(connection, request_id, result=_filtered(result, request.get("filter")))

    def _result(self, fault: Fault | None, method: str, params: object) -> Json | WaitRequest:
        if fault is not None and fault.refusal is not None:
            raise fault.refusal
        self.advance()
        return commands.answer(self.world, method, params)


def _answer(connection: Connection, request_id: object, *, result: Json) -> None:
    connection.send({"jsonrpc": "2.0", "id": request_id, "result": result})


def _refuse(connection: Connection, request_id: object, refusal: NodeRefused) -> None:
    error = {"code": refusal.code, "message": str(refusal)}
    connection.send({"jsonrpc": "2.0", "id": request_id, "error": error})


def _complaint(request: dict[str, Any]) -> str | None:
    """Return what lightningd says of a request that is no call."""
    if "jsonrpc" not in request:
        text = json.dumps(request, separators=(",", ":"))
        return f"JSON-RPC message does not contain \"jsonrpc\" field: '{text}'"
    if "id" not in request:
        return "No id"
    if not isinstance(request["id"], str | int | float):
        return "Expected string/primitive for id"
    if not isinstance(request.get("method"), str):
        return "No method"
    return None if "params" in request else "No params"


def _filtered(value: Any, template: Any) -> Any:
    """Return the part of an answer that a filter asks for; a template that does not fit asks for everything."""
    if isinstance(template, dict) and isinstance(value, dict):
        return {name: _filtered(value[name], inner) for name, inner in template.items() if name in value}
    if isinstance(template, list) and template and isinstance(value, list):
        return [_filtered(item, template[0]) for item in value]
    return value
