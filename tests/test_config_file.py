"""revenued.toml is read whole and strictly; what is wrong with it is said with file, field and allowed values."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revenued.config import FileConfig, build_settings, read_file
from revenued.errors import StartError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "revenued.toml"


def refusal_of(file: Path) -> str:
    """Return what is said when the daemon cannot start with this file."""
    with pytest.raises(StartError) as refusal:
        read_file(file)
    said = str(refusal.value)
    assert said.startswith(f"{file}: ")
    return said.removeprefix(f"{file}: ")


def test_an_empty_file_means_the_defaults(file: Path) -> None:
    file.write_text("")
    assert read_file(file) == FileConfig()


def test_every_section_is_read(file: Path) -> None:
    file.write_text(
        """
        [node]
        rpc_socket = "/run/lightningd/lightning-rpc"
        [store]
        state_dir = "/var/lib/x"
        backups = 7
        [control]
        group = "operators"
        [log]
        level = "debug"
        format = "json"
        [settings]
        fee_interval = "30m"
        min_fee_ppm = 25
        scarcity_threshold = "20%"
        """
    )
    read = read_file(file)
    assert read.node.rpc_socket == "/run/lightningd/lightning-rpc"
    assert (read.store.state_dir, read.store.backups, read.store.database_url) == ("/var/lib/x", 7, None)
    assert (read.control.group, read.log.level, read.log.format) == ("operators", "debug", "json")
    in_force = build_settings(read.settings)
    assert (in_force.fee_interval, in_force.min_fee_ppm, in_force.scarcity_threshold) == (1800, 25, 0.2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[settings]\nmin_fee_ppm = -1", "[settings] min_fee_ppm: -1 is not allowed; allowed: whole number from 0"),
        ("[settings]\nmin_fee_ppm = nan", "[settings] min_fee_ppm: nan is not allowed; allowed: whole number"),
        ("[settings]\nmin_fee_ppm = [1]", "[settings] min_fee_ppm: [1] is not allowed; allowed: whole number"),
        ("[settings]\nmin_fee_ppm = 2026-01-05", "[settings] min_fee_ppm: datetime.date(2026, 1, 5) is not allowed"),
        ("[settings]\nmin_fee_ppm = 0x" + "f" * 5000, "[settings] min_fee_ppm: this int is not allowed"),
        ("[settings]\nmin_fee_ppm = " + "9" * 5000, "Exceeds the limit"),
        ("[settings]\nscarcity_threshold = inf", "[settings] scarcity_threshold: inf is not allowed; allowed: number"),
        ("[settings]\ndry_run = 'maybe'", "[settings] dry_run: 'maybe' is not allowed; allowed: true or false"),
        ("[settings]\nmin_fee = 5", "[settings] 'min_fee': no such option"),
        ("[settings.fees]\nmin_fee_ppm = 5", "[settings] 'fees': no such option"),
        ("[settings]\nmin_fee_ppm = 600\nmax_fee_ppm = 500", "[settings] min_fee_ppm (600) must not be above"),
        ("settings = 5", "settings: Input should be a valid dictionary"),
        ("[store]\nbackups = 0", "store.backups: Input should be greater than or equal to 1"),
        ("[store]\nbackups = true", "store.backups: Input should be a valid integer"),
        ("[log]\nlevel = 'loud'", "log.level: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("[log]\ncolour = true", "log.colour: no such option"),
        ("[nodes]\nrpc_socket = 'x'", "nodes: no such option"),
        ("[node]\nrpc_socket = 5", "node.rpc_socket: Input should be a valid string"),
        ("min_fee_ppm = 5", "min_fee_ppm: no such option"),
        ("[settings\n", "Expected ']'"),
        ("a = 1\na = 2", "Cannot overwrite a value"),
        ("[log]\nlevel = 'loud'\ncolour = true", "log.level: Input should be"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_field(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    assert refusal_of(file).startswith(said)


def test_everything_that_is_wrong_is_said_at_once(file: Path) -> None:
    file.write_text("[log]\nlevel = 'loud'\ncolour = true\n[store]\nbackups = 0")
    said = refusal_of(file)
    assert all(field in said for field in ("log.level", "log.colour", "store.backups"))


def test_a_file_that_is_not_there_is_a_start_error(file: Path) -> None:
    assert refusal_of(file) == "No such file or directory"


def test_a_directory_is_a_start_error(file: Path) -> None:
    file.mkdir()
    assert refusal_of(file) == "Is a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_a_start_error(file: Path) -> None:
    file.write_text("")
    file.chmod(0)
    assert refusal_of(file) == "Permission denied"


def test_a_file_that_is_not_utf_8_is_a_start_error(file: Path) -> None:
    file.write_bytes(b"[node]\nrpc_socket = '\xff'")
    assert "utf-8" in refusal_of(file)


def test_a_file_nested_without_end_is_a_start_error(file: Path) -> None:
    file.write_text("a = " + "[" * 100_000)
    assert refusal_of(file)


pieces = st.sampled_from(
    [
        *("[settings]\n", "[node]\n", "[store]\n", "[log]\n", "\n", "#", "true"),
        *("min_fee_ppm = ", "backups = ", "level = ", "rpc_socket = "),
        *("5", "'5'", "-5", "1e999", "nan", "[", "]", "{}", "{a=1}", "1979-05-27T07:32:00Z", "0xfff", '"\\u0000"'),
    ]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40) | st.lists(pieces, max_size=12).map(lambda parts: "".join(parts).encode()))
def test_any_file_is_a_configuration_or_a_start_error(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    try:
        read = read_file(file)
    except StartError:
        return
    build_settings(read.settings)
