"""A scripted node for each test, on a socket whose path is short enough for the kernel."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.server import ScriptedNode


@pytest.fixture
def socket_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rv", dir="/tmp") as folder:
        yield Path(folder) / "lightning-rpc"


@pytest.fixture
def node(socket_path: Path) -> Iterator[ScriptedNode]:
    with ScriptedNode(socket_path) as serving:
        yield serving
