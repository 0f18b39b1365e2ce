"""Where things lie: what systemd says, else what an ordinary user has."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from revenued.config import FileConfig
from revenued.errors import StartError

SYSTEM_CONFIG = Path("/etc/revenued/revenued.toml")


@dataclass(frozen=True, slots=True)
class Paths:
    """Every place that the daemon uses."""

    rpc_socket: Path
    state_dir: Path
    control_socket: Path
    database_url: str | None


def find_config(given: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the configuration file: the one named, else the user's own, else the system's, else none."""
    if given is not None:
        return given
    home = _expanded(environment.get("XDG_CONFIG_HOME") or "~/.config")
    return next((path for path in (home / "revenued" / "revenued.toml", SYSTEM_CONFIG) if path.is_file()), None)


def find_paths(
    config: FileConfig,
    *,
    rpc: Path | None,
    state_dir: Path | None,
    control: Path | None,
    environment: Mapping[str, str],
) -> Paths:
    """Return where everything lies; command line before configuration before environment before defaults."""
    data_home = Path(environment.get("XDG_DATA_HOME") or "~/.local/share")
    state = _first(state_dir, config.store.state_dir, environment.get("STATE_DIRECTORY"), data_home / "revenued")
    run = environment.get("RUNTIME_DIRECTORY")
    socket = _first(
        control,
        config.control.socket,
        environment.get("REVENUED_CONTROL"),
        Path(run) / "control" if run else None,
        state / "control",
    )
    return Paths(
        rpc_socket=_first(rpc, config.node.rpc_socket),
        state_dir=state,
        control_socket=socket,
        database_url=config.store.database_url,
    )


def prepare_state_dir(path: Path) -> None:
    """Make the state directory, for our eyes only; raises StartError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"state directory {path}: {error.strerror}") from error
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
        raise StartError(f"state directory {path}: not a directory that this user may write to")


def _first(*candidates: Path | str | None) -> Path:
    return _expanded(next(candidate for candidate in candidates if candidate)).absolute()


def _expanded(path: Path | str) -> Path:
    if "\0" in str(path):
        raise StartError(f"{str(path)!r}: a path cannot hold a null character")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # no such user, or one without a home
        raise StartError(f"{path}: {error}") from error
