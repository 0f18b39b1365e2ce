"""`make demo` lives through some days in seconds and shows what came of them."""

import subprocess
import sys

from tests.end_to_end.daemon import Daemon


def test_the_demo_earns_prints_a_dashboard_and_explains_a_price(daemon: Daemon) -> None:
    demo = [sys.executable, "-m", "revenued.sim.demo", "--days", "3", "--seconds", "6"]
    ended = subprocess.run(
        demo, capture_output=True, text=True, timeout=90, env=daemon.environment(TMPDIR="/tmp"), check=False
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    assert "$ revenuectl dashboard" in ended.stdout
    assert "Last 30 days" in ended.stdout
    assert "$ revenuectl fees explain " in ended.stdout
    assert "How the target came about" in ended.stdout
