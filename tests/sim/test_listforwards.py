"""The rules of `listforwards`, refusals and oddities included, as seen on a real node."""

from pathlib import Path
from typing import Any

import pytest

from revenued.model import ForwardStatus
from revenued.sim.rpc import RpcServer
from revenued.sim.world import World
from tests.sim.builders import SAT, ask, half_full, lone_pair


@pytest.fixture
def history(server: RpcServer) -> None:
    """Five forwards: settled, refused, offered, failed, and one that goes the other way."""

    def forward(world: World) -> None:
        there, back = lone_pair(half_full(world))
        for outcome in (ForwardStatus.SETTLED, ForwardStatus.LOCAL_FAILED, ForwardStatus.OFFERED, ForwardStatus.FAILED):
            world.forward_now(there, back, 1_000 * SAT, outcome)
        world.forward_now(back, there, 1_000 * SAT)

    server.do(forward)


def created(path: Path, **params: Any) -> list[int]:
    return [row["created_index"] for row in ask(path, "listforwards", params)["forwards"]]


@pytest.mark.usefixtures("history")
def test_without_parameters_every_forward_comes(socket_path: Path) -> None:
    assert created(socket_path) == [1, 2, 3, 4, 5]


@pytest.mark.usefixtures("history")
def test_pages_by_the_created_index(socket_path: Path) -> None:
    assert created(socket_path, index="created", start=2, limit=2) == [2, 3]
    assert created(socket_path, index="created", start="5") == [5]
    assert created(socket_path, index="created", start=6) == []


@pytest.mark.usefixtures("history")
def test_rows_that_never_changed_are_on_the_updated_index_only_from_zero(socket_path: Path) -> None:
    assert created(socket_path, index="updated", start=0) == [2, 3, 1, 4, 5]
    assert created(socket_path, index="updated", start=1) == [1, 4, 5]
    assert created(socket_path, index="updated", start=2, limit=1) == [4]


@pytest.mark.usefixtures("history")
def test_a_status_can_be_combined_with_an_index(socket_path: Path) -> None:
    assert created(socket_path, status="settled") == [1, 5]
    assert created(socket_path, status="settled", index="created", start=2, limit=1) == [5]
    assert created(socket_path, status="local_failed") == [2]


@pytest.mark.usefixtures("history")
def test_the_limit_is_ignored_beside_a_channel(socket_path: Path, world: World) -> None:
    there, back = lone_pair(world)
    assert created(socket_path, in_channel=there.scid, index="created", limit=1) == [1, 2, 3, 4]
    assert created(socket_path, out_channel=there.scid) == [5]
    assert created(socket_path, in_channel=there.scid, out_channel=there.scid) == []
    assert created(socket_path, in_channel=back.scid, status="failed") == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"start": 1}, "Can only specify {start} with {index}"),
        ({"limit": 1}, "Can only specify {limit} with {index}"),
        ({"in_channel": "1x1x1", "index": "created", "start": 1}, "Cannot use start with in_channel or out_channel"),
        ({"index": "nope"}, "index: unknown index: invalid token '\"nope\"'"),
        ({"status": "bad"}, "status: Unrecognized status: invalid token '\"bad\"'"),
        ({"in_channel": "x"}, "in_channel: should be a short_channel_id of form NxNxN: invalid token '\"x\"'"),
        ({"index": "created", "limit": -1}, "limit: should be an integer: invalid token '-1'"),
    ],
)
def test_what_the_node_refuses_is_refused_in_its_words(
    server: RpcServer, socket_path: Path, params: dict[str, Any], message: str
) -> None:
    assert ask(socket_path, "listforwards", params) == {"error": {"code": -32602, "message": message}}
