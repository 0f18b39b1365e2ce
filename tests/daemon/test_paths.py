"""Where things lie: what was typed, before the file, before the environment, before what is usual."""

from pathlib import Path

import pytest

from revenued.config import FileConfig
from revenued.daemon.paths import Paths, find_config, find_paths, prepare_state_dir
from revenued.errors import StartError

HOME = {"HOME": "/home/alice"}


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/alice")


def found(
    config: dict[str, object] | None = None,
    environment: dict[str, str] | None = None,
    *,
    rpc: str | None = None,
    state_dir: str | None = None,
    control: str | None = None,
) -> Paths:
    typed = {"rpc": rpc, "state_dir": state_dir, "control": control}
    return find_paths(
        FileConfig.model_validate(config or {}),
        **{name: Path(path) if path else None for name, path in typed.items()},
        environment=environment or {},
    )


def test_an_ordinary_user_has_everything_at_home() -> None:
    assert found() == Paths(
        rpc_socket=Path("/home/alice/.lightning/bitcoin/lightning-rpc"),
        state_dir=Path("/home/alice/.local/share/revenued"),
        control_socket=Path("/home/alice/.local/share/revenued/control"),
        database_url=None,
    )
    assert found(environment={"XDG_DATA_HOME": "/data"}).state_dir == Path("/data/revenued")


def test_a_service_has_what_systemd_says() -> None:
    service = {"STATE_DIRECTORY": "/var/lib/revenued", "RUNTIME_DIRECTORY": "/run/revenued"}
    paths = found(environment=service)
    assert paths.state_dir == Path("/var/lib/revenued")
    assert paths.control_socket == Path("/run/revenued/control")


def test_the_socket_lies_in_the_state_directory_where_nothing_else_is_said() -> None:
    assert found(state_dir="/state").control_socket == Path("/state/control")


@pytest.mark.parametrize(
    ("typed", "config", "environment", "expected"),
    [
        ("/typed", "/file", "/variable", "/typed"),
        (None, "/file", "/variable", "/file"),
        (None, None, "/variable", "/variable"),
    ],
)
def test_what_was_typed_counts_before_the_file_and_the_file_before_the_environment(
    typed: str | None, config: str | None, environment: str, expected: str
) -> None:
    file = {"store": {"state_dir": config}, "control": {"socket": config}} if config else {}
    variables = {"STATE_DIRECTORY": environment, "REVENUED_CONTROL": environment, "RUNTIME_DIRECTORY": "/run/x"}
    paths = found(dict(file), variables, state_dir=typed, control=typed)
    assert paths.state_dir == paths.control_socket == Path(expected)


def test_a_path_is_absolute_and_a_tilde_is_somebodys_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert found(rpc="rpc").rpc_socket == tmp_path / "rpc"
    assert found({"node": {"rpc_socket": "~/rpc"}}).rpc_socket == Path("/home/alice/rpc")


@pytest.mark.parametrize("path", ["~nobody-of-this-name/state", "/a\0b"])
def test_a_path_that_cannot_be_is_refused(path: str) -> None:
    with pytest.raises(StartError, match=r"nobody-of-this-name|null character"):
        found({"store": {"state_dir": path}})


def test_the_configuration_named_is_taken_even_if_it_is_not_there() -> None:
    assert find_config(Path("/nowhere.toml"), {}) == Path("/nowhere.toml")


def test_the_users_own_configuration_counts_before_the_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    system, own = tmp_path / "system.toml", tmp_path / "own" / "revenued" / "revenued.toml"
    monkeypatch.setattr("revenued.daemon.paths.SYSTEM_CONFIG", system)
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "own")}
    assert find_config(None, environment) is None
    system.touch()
    assert find_config(None, environment) == system
    own.parent.mkdir(parents=True)
    own.touch()
    assert find_config(None, environment) == own
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config").symlink_to(tmp_path / "own")
    assert find_config(None, {}) == tmp_path / ".config" / "revenued" / "revenued.toml"


def test_a_state_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made = tmp_path / "a" / "b"
    prepare_state_dir(made)
    prepare_state_dir(made)
    assert made.stat().st_mode & 0o777 == 0o700


def test_a_state_directory_that_is_a_file_or_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/revenued")):
        with pytest.raises(StartError, match=f"state directory {path}: "):
            prepare_state_dir(path)
