"""The wheel alone, without the checkout, can make a database."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from revenued.store.schema import head, migrations_dir

ROOT = Path(__file__).parents[2]
MAKES_A_DATABASE = """
from datetime import UTC, datetime
from pathlib import Path
from revenued.store.engine import open_file
from revenued.store.schema import current, migrations_dir, upgrade
store = open_file(Path("."))
upgrade(store, now=datetime.now(UTC), copies=1)
print(migrations_dir(), current(store))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel was unpacked into."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "installed")
    return folder / "installed"


def test_the_migrations_are_in_the_wheel(installed: Path) -> None:
    ours = {file.relative_to(migrations_dir()) for file in migrations_dir().rglob("*.py")}
    packed = installed / "revenued" / "migrations"
    assert {Path("env.py")} < ours
    assert ours <= {file.relative_to(packed) for file in packed.rglob("*")}


def test_nothing_but_the_program_is_in_the_wheel(installed: Path) -> None:
    top = {path.name for path in installed.iterdir()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"revenued"}
    assert [str(path) for path in installed.rglob("*") if path.suffix in (".pyc", ".db", ".log")] == []


def test_the_wheel_makes_a_database(installed: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", MAKES_A_DATABASE],
        cwd=tmp_path, env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stdout.split() == [str(installed / "revenued" / "migrations"), head()], ran.stderr
