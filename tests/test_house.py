"""The rooms of the house: what may not be imported from where is refused by `make check`."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def contracts(place: Path) -> "subprocess.CompletedProcess[str]":
    """Hold a copy of the package against the contracts in pyproject.toml."""
    program = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [str(program), "--no-cache"], cwd=place, capture_output=True, text=True, check=False, timeout=100
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "revenued", tmp_path / "revenued", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_house_as_it_stands_keeps_its_contracts(copy: Path) -> None:
    assert contracts(copy).returncode == 0


@pytest.mark.parametrize(
    ("room", "line", "said"),
    [
        ("fees", "import revenued.store.engine", "revenued.fees is not allowed to import revenued.store"),
        ("flow", "import sqlalchemy", "revenued.flow is not allowed to import sqlalchemy"),
        ("cli", "import revenued.daemon.house", "revenued.cli is not allowed to import revenued.daemon"),
        ("cycles", "import revenued.sim.world", "revenued.cycles is not allowed to import revenued.sim"),
    ],
)
def test_a_room_that_looks_where_it_may_not_is_refused(copy: Path, room: str, line: str, said: str) -> None:
    (copy / "revenued" / room / "curious.py").write_text(f'"""Looks where it may not."""\n\n{line}\n')
    found = contracts(copy)
    assert found.returncode == 1
    assert said in found.stdout


def test_a_new_room_must_be_given_its_place(copy: Path) -> None:
    (copy / "revenued" / "attic").mkdir()
    (copy / "revenued" / "attic" / "__init__.py").write_text('"""Nobody knows where this belongs."""\n')
    assert contracts(copy).returncode == 1
