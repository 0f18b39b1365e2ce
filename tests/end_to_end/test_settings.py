"""Options: where they come from, what is refused, and that the running daemon follows them at once."""

import json
import signal
import time
from datetime import UTC, datetime

import pytest

from revenued.clock import FastClock
from revenued.sim.rpc import RpcServer
from tests.end_to_end.daemon import Daemon, until
from tests.end_to_end.node import quiet_world, serving


def test_an_option_comes_from_the_last_of_default_file_environment_and_config_set(
    server: RpcServer, daemon: Daemon
) -> None:
    daemon.config.write_text("[settings]\nmax_fee_ppm = 2000\nmin_fee_ppm = 20\nbase_fee_msat = 1\n")
    daemon.start(REVENUED_MIN_FEE_PPM="25", REVENUED_BASE_FEE_MSAT="2")
    assert "base_fee_msat: 2 → 3" in daemon.ctl("config", "set", "base_fee_msat", "3")
    expected = {
        "static_floor_ppm": (10, "default"),
        "max_fee_ppm": (2000, "file"),
        "min_fee_ppm": (25, "environment"),
        "base_fee_msat": (3, "stored"),
    }
    found = {option["key"]: option for option in json.loads(daemon.ctl("--json", "config", "list"))["options"]}
    assert {key: (found[key]["value"], found[key]["origin"]) for key in expected} == expected
    assert "revenued.toml" in daemon.ctl("config", "get", "max_fee_ppm")
    assert "environment" in daemon.ctl("config", "get", "min_fee_ppm")
    daemon.follow()
    daemon.run_done("fee")
    targets = {(row["target_ppm"]) for row in daemon.ask("channels")["channels"]}
    assert targets == {25}
    daemon.stop()
    daemon.start()
    assert daemon.option("min_fee_ppm")["value"] == 20
    assert (daemon.option("base_fee_msat")["value"], daemon.option("base_fee_msat")["origin"]) == (3, "stored")


def test_what_is_not_allowed_is_refused_as_a_whole_with_what_is(resting: Daemon) -> None:
    before = resting.ask("config", action="list")
    for values, said in (
        ({"min_fee_ppm": 50, "dry_run": "maybe"}, "dry_run: 'maybe' is not allowed; allowed: true or false"),
        ({"min_fee_ppm": 900, "max_fee_ppm": 100}, "min_fee_ppm (900) must not be above max_fee_ppm (100)"),
        ({"min_fee_ppm": 50, "minimum": 1}, "'minimum': no such option"),
        ({"scarcity_threshold": "nan"}, "scarcity_threshold: 'nan' is not allowed"),
        ({}, "at least one option"),
    ):
        assert said in resting.refusal("config", action="set", values=values)
    said = resting.ctl("config", "set", "max_fee_ppm", "4000", "min_fee_ppm", "abc", code=1)
    assert "min_fee_ppm: 'abc' is not allowed; allowed: whole number from 0 to 100000 ppm" in said
    assert "has none" in resting.ctl("config", "set", "min_fee_ppm", code=2)
    assert resting.ask("config", action="list") == before
    assert resting.rows("SELECT COUNT(*) FROM audit") == [(0,)]


@pytest.mark.usefixtures("server")
def test_sighup_reads_the_file_again_and_a_bad_file_changes_nothing(daemon: Daemon) -> None:
    daemon.config.write_text("[settings]\nmax_fee_ppm = 2000\n")
    daemon.start()
    daemon.configure(min_fee_ppm=30)

    daemon.config.write_text("[log]\nlevel = 'debug'\n[settings]\nmax_fee_ppm = 3000\nbase_fee_msat = 7\n")
    daemon.send(signal.SIGHUP)
    until(lambda: daemon.option("max_fee_ppm")["value"] == 3000, "the file is read again")
    assert (daemon.option("base_fee_msat")["value"], daemon.option("base_fee_msat")["origin"]) == (7, "file")
    until(lambda: daemon.said("restart_needed"), "what needs a restart is named")
    assert daemon.said("restart_needed")[0]["section"] == "log"

    in_force = daemon.ask("config", action="list")
    for number, (text, said) in enumerate((
        ("[settings]\nmax_fee_ppm = 'x'\n", "max_fee_ppm"),
        ("[settings\n", "revenued.toml"),
        ("[settings]\nmax_fee_ppm = 20\n", "must not be above max_fee_ppm (20)"),
    )):  # fmt: skip
        daemon.config.write_text(text)
        daemon.send(signal.SIGHUP)
        until(lambda: len(daemon.said("reload_refused")) > number, "the refusal is in the log")  # noqa: B023
        assert said in daemon.said("reload_refused")[number]["reason"]
        assert daemon.ask("config", action="list") == in_force


def test_a_new_interval_counts_from_now(daemon: Daemon) -> None:
    """A minute of this clock is a second; the first fee cycle comes at once, the next one half an hour later."""
    daemon.clock = FastClock(zero=time.time(), start=datetime.now(UTC), fast=60.0, fast_for=3600.0)
    fee_cycles = "SELECT COUNT(*) FROM cycles WHERE kind = 'fee' AND outcome = 'done'"
    with serving(quiet_world(), daemon.rpc, clock=daemon.clock):
        daemon.start()
        until(lambda: daemon.rows(fee_cycles) == [(1,)], "the first fee cycle")
        daemon.ctl("config", "set", "fee_interval", "1m")
        until(lambda: daemon.rows(fee_cycles)[0][0] >= 3, "two more fee cycles", within=10)
        daemon.stop()
