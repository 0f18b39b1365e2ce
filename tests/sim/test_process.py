"""The server as a process of its own, in fast virtual time."""

import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from revenued.clock import FastClock
from tests.sim.builders import START, ask


def test_it_says_when_it_listens_lives_by_the_clock_it_is_given_and_stops_on_sigterm(socket_path: Path) -> None:
    clock = FastClock(zero=time.time(), start=START, fast=86_400, fast_for=600)
    command = [sys.executable, "-m", "revenued.sim.rpc", "--socket", str(socket_path), "--seed", "3"]
    command += ["--clock", clock.to_text(), "--channels", "6", "--history-days", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"listening on {socket_path}\n"
            first = ask(socket_path, "listforwards", {"index": "created", "start": 1, "limit": 1})["forwards"][0]
            assert first["received_time"] < (START - timedelta(days=2)).timestamp()
            before = ask(socket_path, "getinfo")["blockheight"]
            time.sleep(0.5)
            assert ask(socket_path, "getinfo")["blockheight"] > before + 30
            assert len(ask(socket_path, "listpeerchannels")["channels"]) == 6
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
