"""The `revenued` command: what it looks at without a daemon, and how it refuses."""

import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from revenued.daemon.command_line import main
from revenued.store.schema import head

Run = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "revenued.toml"
    path.touch()
    return path


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir()
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `revenued` with these arguments, without this machine's configuration and without touching our own log."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "STATE_DIRECTORY", "RUNTIME_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("revenued.daemon.paths.SYSTEM_CONFIG", tmp_path / "nowhere.toml")
    monkeypatch.setattr("revenued.log.configure", lambda **_: None)

    def call(*arguments: object, **environment: str) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], env=environment)

    return call


def refusal(ended: Result) -> str:
    """Return the one sentence of a refusal."""
    assert ended.exit_code == 1, ended.output
    assert isinstance(ended.exception, SystemExit)
    assert ended.stdout == ""
    (sentence,) = ended.stderr.splitlines()
    return sentence.removeprefix("revenued: ")


BAD = {
    "[settings\n": "Expected ']'",
    "\udcff": "can't decode byte",
    "[nodes]\n": "nodes: no such option",
    "[node]\nrpc = 'x'\n": "node.rpc: no such option",
    "[node]\nrpc_socket = 5\n": "node.rpc_socket: ",
    "[store]\nbackups = 0\n": "store.backups: ",
    "[log]\nlevel = 'loud'\n": "log.level: Input should be 'debug', 'info', 'warning' or 'error'",
    "[settings]\nmin_fee = 5\n": "'min_fee': no such option",
    "[settings]\nmin_fee_ppm = -1\n": "min_fee_ppm: -1 is not allowed; allowed: whole number from 0 to 100000 ppm",
    "[settings]\nmin_fee_ppm = true\n": "min_fee_ppm: True is not allowed",
    "[settings]\ndry_run = 'maybe'\n": "dry_run: 'maybe' is not allowed; allowed: true or false",
    "[settings]\nscarcity_threshold = nan\n": "scarcity_threshold: nan is not allowed",
    "[settings]\nmin_fee_ppm = 500\nmax_fee_ppm = 100\n": "min_fee_ppm (500) must not be above max_fee_ppm (100)",
}


@pytest.mark.parametrize("command", ["run", "check-config", "db"])
@pytest.mark.parametrize(("text", "said"), BAD.items())
def test_a_bad_file_is_refused_in_one_sentence_with_its_name_and_the_field(
    run: Run, config: Path, state_dir: Path, command: str, text: str, said: str
) -> None:
    config.write_bytes(text.encode(errors="surrogateescape"))
    words = ["db", "current"] if command == "db" else [command]
    sentence = refusal(run(*words, "--config", config))
    assert sentence.startswith(f"{config}: ")
    assert said in sentence
    assert list(state_dir.iterdir()) == []


def test_a_file_that_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    assert refusal(run("run", "--config", tmp_path / "no.toml")) == f"{tmp_path / 'no.toml'}: No such file or directory"


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ([], {"REVENUED_MIN_FEE_PPM": "abc"}, "min_fee_ppm: 'abc' is not allowed; allowed: whole number from 0 to"),
        ([], {"REVENUED_MIN_FEE_PPM": "9000"}, "min_fee_ppm (9000) must not be above max_fee_ppm (5000)"),
        (["--fast-clock", "fast"], {}, "--fast-clock: "),
        (["--rpc", "~nobody-of-this-name/rpc"], {}, "~nobody-of-this-name/rpc: "),
    ],
)
def test_what_was_typed_or_set_wrongly_ends_the_start(
    run: Run, config: Path, state_dir: Path, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    ended = run("run", "--config", config, "--state-dir", state_dir, *arguments, **environment)
    assert said in refusal(ended)


def test_a_file_that_is_no_database_is_refused(run: Run, config: Path, state_dir: Path) -> None:
    (state_dir / "revenued.db").write_bytes(b"not a database" * 1000)
    for words in (["run"], ["db", "current"], ["db", "upgrade"], ["db", "backup"]):
        sentence = refusal(run(*words, "--config", config, "--state-dir", state_dir))
        assert "file is not a database" in sentence
        assert str(state_dir / "revenued.db") in sentence


def test_a_new_database_is_made_for_its_owner_alone_and_copied(run: Run, config: Path, state_dir: Path) -> None:
    where = ("--config", config, "--state-dir", state_dir)
    database = state_dir / "revenued.db"
    assert run("db", "current", *where).stdout == f"{database}: schema none (empty), this revenued uses {head()}\n"
    assert "nothing to back up" in refusal(run("db", "backup", *where))
    assert run("db", "upgrade", *where).stdout == f"{database}: schema {head()}\n"
    assert run("db", "upgrade", *where).stdout == f"{database}: schema {head()}\n"
    assert run("db", "current", *where).stdout == f"{database}: schema {head()}, this revenued uses {head()}\n"

    copy = Path(run("db", "backup", *where).stdout.strip())
    assert copy.parent == state_dir
    assert copy.name.startswith("revenued.db.backup-")
    assert "File exists" in refusal(run("db", "backup", *where, copy))
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(head(),)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in state_dir.iterdir()} == {0o600}


def test_a_newer_database_is_refused_and_left_as_it_is(run: Run, config: Path, state_dir: Path) -> None:
    where = ("--config", config, "--state-dir", state_dir)
    run("db", "upgrade", *where)
    with closing(sqlite3.connect(state_dir / "revenued.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for words in (["run"], ["db", "upgrade"]):
        assert "newer version" in refusal(run(*words, *where))
    assert "schema 9999" in run("db", "current", *where).stdout


def test_a_state_directory_that_is_not_there_is_not_made_to_be_looked_at(
    run: Run, config: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "missing"
    for word in ("current", "upgrade", "backup"):
        said = refusal(run("db", word, "--config", config, "--state-dir", missing))
        assert said == f"{missing}: no such state directory"
    assert not missing.exists()


def test_a_configuration_can_be_checked_without_starting_anything(run: Run, config: Path, tmp_path: Path) -> None:
    config.write_text(
        f'[store]\nstate_dir = "{tmp_path}/new"\ndatabase_url = "postgresql://alice:secret@h/d"\n'
        "[settings]\nmax_fee_ppm = 900\n"
    )
    shown = run("check-config", "--config", config, REVENUED_MIN_FEE_PPM="25").stdout
    for line in (
        f"configuration file: {config}",
        f"state directory: {tmp_path}/new",
        f"control socket: {tmp_path}/new/control",
        f"rpc socket: {tmp_path}/.lightning/bitcoin/lightning-rpc",
        "database: postgresql://alice:***@h/d",
        "max_fee_ppm = 900  (default 5000)",
        "min_fee_ppm = 25  (default 10)",
    ):
        assert line in shown.splitlines()
    assert "dry_run" not in shown
    assert "secret" not in shown
    assert not (tmp_path / "new").exists()


def test_without_a_file_the_defaults_count(run: Run) -> None:
    assert "configuration file: none, defaults only" in run("check-config").stdout


@pytest.mark.parametrize("words", [[], ["run"], ["check-config"], ["db"], ["db", "backup"]])
def test_every_command_tells_what_it_does(run: Run, words: list[str]) -> None:
    for option in ("-h", "--help"):
        ended = run(*words, option)
        assert ended.exit_code == 0
        assert "Usage: " in ended.stdout
    assert "--fast-clock" not in run("run", "--help").stdout
