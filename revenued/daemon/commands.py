"""The methods of the control socket that change something or start something, and the register of all of them."""

import time
from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from revenued import __version__
from revenued.config import OPTIONS, Option
from revenued.control.protocol import MethodError
from revenued.control.server import Caller, Method
from revenued.cycles.run import CycleResult
from revenued.daemon import feereports, flowreports, reports
from revenued.daemon.board import BoundSettings
from revenued.daemon.house import CYCLES, PAUSED, House
from revenued.daemon.rebalancereports import rebalance_list
from revenued.errors import CycleSkipped, IngestStopped, NodeError, RevenuedError, SettingError
from revenued.store.cyclelog import newest_cycles
from revenued.store.schema import head
from revenued.store.settings import write_switch

LONGEST_RUN_SECONDS = 600.0
DRY_RUN_OFF = "Live from now on: prices are told to the node at the next fee cycle (`revenuectl run fee` runs it now)."
DRY_RUN_ON = "Dry run from now on: everything is decided and recorded, nothing is told to the node."
MUTATING = frozenset({"revenue-run", "revenue-pause", "revenue-resume"})
"""Methods that are logged with their caller; `revenue-config` logs its changes itself."""

JsonObject = dict[str, Any]


class _Params(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


P = TypeVar("P", bound=_Params)


class _Nothing(_Params):
    """For methods without parameters."""


class _Window(_Params):
    window_days: int = Field(30, ge=1, le=3650)


class _Channel(_Params):
    channel: str = Field(min_length=3, max_length=80)


class _History(_Params):
    channel: str | None = Field(None, min_length=3, max_length=80)
    limit: int = Field(50, ge=1, le=1000)


class _Forwards(_Params):
    channel: str | None = Field(None, min_length=3, max_length=80)
    peer: str | None = Field(None, min_length=1, max_length=80)
    since: str | None = Field(None, max_length=40)
    until: str | None = Field(None, max_length=40)
    status: Literal["offered", "settled", "failed", "local_failed", "gone"] | None = None
    limit: int = Field(50, ge=1, le=5000)
    before: str | None = Field(None, max_length=60)


class _OneOrAll(_Params):
    channel: str | None = Field(None, min_length=3, max_length=80)


class _Config(_Params):
    action: str
    key: str | None = None
    values: dict[str, Any] | None = None


class _Run(_Params):
    cycle: str
    verify: bool = False
    repair: bool = False
    new_history: bool = False


def methods(house: House) -> Mapping[str, Method]:
    """Return every method by its name on the socket; trouble with the database is refused in words."""
    return {name: _in_words(method) for name, method in _methods(house).items()}


def _in_words(method: Method) -> Method:
    def answered(params: JsonObject, caller: Caller) -> JsonObject:
        try:
            return method(params, caller)
        except SQLAlchemyError as trouble:
            raise RevenuedError(f"database: {str(trouble).splitlines()[0]}") from trouble

    return answered


def _methods(house: House) -> Mapping[str, Method]:
    return {
        "revenue-version": lambda params, _: (_read(_Nothing, params), version())[1],
        "revenue-status": lambda params, _: (_read(_Nothing, params), reports.status(house))[1],
        "revenue-dashboard": lambda params, _: reports.dashboard(house, _read(_Window, params).window_days),
        "revenue-channels": lambda params, _: (_read(_Nothing, params), feereports.channels(house))[1],
        "revenue-forwards": lambda params, _: flowreports.forwards(house, **_read(_Forwards, params).model_dump()),
        "revenue-flow": lambda params, _: flowreports.flow(house, _read(_OneOrAll, params).channel),
        "revenue-peers": lambda params, _: (_read(_Nothing, params), flowreports.peers_report(house))[1],
        "revenue-fees-explain": lambda params, _: feereports.explain(house, _read(_Channel, params).channel),
        "revenue-fees-history": lambda params, _: _history(house, _read(_History, params)),
        "revenue-config": lambda params, caller: _config(house, _read(_Config, params), caller),
        "revenue-rebalance-list": lambda params, _: (_read(_Nothing, params), rebalance_list(house))[1],
        "revenue-run": lambda params, _: _run(house, _read(_Run, params)),
        "revenue-pause": lambda params, caller: (_read(_Nothing, params), _switch(house, True, caller))[1],
        "revenue-resume": lambda params, caller: (_read(_Nothing, params), _switch(house, False, caller))[1],
    }


def version() -> JsonObject:
    """Answer revenue-version."""
    return {"version": __version__, "schema": head()}


def _read(kind: type[P], params: JsonObject) -> P:
    try:
        return kind.model_validate(params)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"]) or "params"
        what = "no such parameter" if problem["type"] == "extra_forbidden" else problem["msg"]
        raise SettingError(f"{where[:80]}: {what}") from error


def _history(house: House, asked: _History) -> JsonObject:
    return feereports.history(house, channel=asked.channel, limit=asked.limit)


def _config(house: House, asked: _Config, caller: Caller) -> JsonObject:
    if asked.action == "list":
        bound = house.board.bound()
        return {"generation": bound.generation, "options": [_option(option, bound) for option in OPTIONS.values()]}
    if asked.action == "get":
        if asked.key is None or asked.key not in OPTIONS:
            raise SettingError(f"key: {asked.key!r:.80} is no option; allowed: {', '.join(OPTIONS)}")
        bound = house.board.bound()
        return {"generation": bound.generation, **_option(OPTIONS[asked.key], bound)}
    if asked.action == "set":
        return _set(house, asked.values or {}, caller)
    raise SettingError(f"action: {asked.action!r:.80} is not allowed; allowed: list, get, set")


def _set(house: House, values: Mapping[str, object], caller: Caller) -> JsonObject:
    bound, changed = house.board.change(values, by=_who(caller))
    settings_changed(house, [(change.key, change.old, change.new) for change in changed], by=_who(caller))
    notes = [DRY_RUN_ON if change.new else _live_note(house) for change in changed if change.key == "dry_run"]
    return {
        "generation": bound.generation,
        "changed": [{"key": change.key, "old": change.old, "new": change.new} for change in changed],
        "notes": notes,
    }


def _live_note(house: House) -> str:
    """Say what going live will do: how many prices are waiting, and that the base fee goes with them."""
    with house.store.read() as connection:
        newest = newest_cycles(connection).get("fee")
    waiting = newest.summary.get("would_broadcast") if newest is not None and newest.summary else None
    if waiting is None:
        return DRY_RUN_OFF
    base_fee = house.board.bound().settings.base_fee_msat
    return (
        f"{DRY_RUN_OFF} At the last one {waiting} channels had a new price waiting; each is set together with "
        f"base_fee_msat {base_fee}."
    )


def settings_changed(house: House, changed: list[tuple[str, object, object]], *, by: str) -> None:
    """Let the running daemon follow options that got another value."""
    for key, old, new in changed:
        reports.logger().info("option_changed", option=key, old=old, new=new, by=by)
    house.schedule.follow_settings(kind for kind in CYCLES if f"{kind}_interval" in {key for key, _, _ in changed})


def _option(option: Option, bound: BoundSettings) -> JsonObject:
    return {
        "key": option.key,
        "value": getattr(bound.settings, option.key),
        "default": option.default,
        "origin": bound.origins[option.key],
        "unit": option.unit,
        "allowed": option.allowed,
        "help": option.help,
    }


def _run(house: House, asked: _Run) -> JsonObject:
    cycle = asked.cycle
    if (asked.verify or asked.repair or asked.new_history) and cycle != "ingest":
        raise SettingError("verify, repair, new_history: only `run ingest` takes them")
    if asked.repair and not asked.verify:
        raise SettingError("repair: only together with verify")
    if cycle == "ingest":
        return _run_ingest(house, asked)
    if cycle not in CYCLES:
        raise SettingError(f"cycle: {cycle!r:.80} is not allowed; allowed: ingest, {', '.join(CYCLES)}")
    future = house.schedule.run_once(lambda: house.run_cycle(cycle))
    try:
        return _result(future.result(timeout=LONGEST_RUN_SECONDS))
    except FutureTimeoutError:
        raise MethodError(
            1, f"{cycle}: still running after {LONGEST_RUN_SECONDS:g} s; `status` shows how it ends"
        ) from None


def _run_ingest(house: House, asked: _Run) -> JsonObject:
    started = time.monotonic()
    outcome, reason, summary = "done", None, {}
    try:
        replaced = {"set_aside": house.ingester.accept_history()} if asked.new_history else {}
        summary = replaced | (_verified(house, repair=asked.repair) if asked.verify else _ingested(house))
    except CycleSkipped as skipped:
        outcome, reason = "skipped", str(skipped)
    except NodeError as trouble:
        outcome, reason = "skipped", f"node: {trouble}"
    except IngestStopped as trouble:
        outcome, reason = "failed", str(trouble)
    took_ms = round((time.monotonic() - started) * 1000)
    return _result(CycleResult("ingest", outcome, reason, took_ms, summary))


def _ingested(house: House) -> JsonObject:
    done = house.ingester.run_now()
    return {
        "inserted": done.inserted,
        "updated": done.updated,
        "settled": done.settled,
        "unreadable": done.unreadable,
        "caught_up": done.caught_up,
    }


def _verified(house: House, *, repair: bool) -> JsonObject:
    found = house.ingester.verify(repair=repair)
    return {
        "read": found.read,
        "different": found.different,
        "repaired": found.repaired,
        "deleted_at_node": found.deleted_at_node,
        "pruned_here": found.pruned_here,
        "unreadable": found.unreadable,
        "examples": [f"forward {example.created_index}: {example.what}" for example in found.examples],
    }


def _result(result: CycleResult) -> JsonObject:
    return {
        "cycle": result.kind,
        "outcome": result.outcome,
        "reason": result.reason,
        "took_ms": result.took_ms,
        "summary": dict(result.summary),
    }


def _switch(house: House, paused: bool, caller: Caller) -> JsonObject:
    with house.store.write() as connection:
        changed = write_switch(connection, PAUSED, paused, by=_who(caller), now=house.clock.now())
    house.paused = paused
    return {"paused": paused, "changed": changed}


def _who(caller: Caller) -> str:
    return f"{caller.user} (uid {caller.uid}, pid {caller.pid})"
