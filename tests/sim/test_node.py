"""Asked directly, the world gives what the real client reads from its socket."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from revenued.errors import NodeRefused
from revenued.model import ForwardStatus
from revenued.node.cln import ClnNode
from revenued.node.interface import ForwardIndex, Node
from revenued.sim.market import Market
from revenued.sim.node import SimNode
from revenued.sim.rpc import RpcServer
from revenued.sim.world import World
from tests.sim.builders import START, HandClock, fee


@dataclass(frozen=True, slots=True)
class TwoViews:
    """One world seen directly and through its socket, after a life with everything in it."""

    direct: Node
    remote: Node
    world: World


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoViews]:
    clock = HandClock()
    world = World(4, START, market=Market(stuck_share=0.3))
    clock.move(days=2)
    world.advance(clock.now())
    world.close(world.channels[3])
    world.splice(world.channels[2], 300_000)
    clock.move(days=2)
    world.advance(clock.now())
    world.close(world.channels[4])
    world.set_online(world.peers[1], online=False)
    world.delete_forwards(before=START, statuses=frozenset({ForwardStatus.SETTLED}))
    clock.move(hours=1)
    path = tmp_path_factory.mktemp("n") / "rpc"
    with RpcServer(world, path, clock=clock):
        yield TwoViews(SimNode(world, clock), ClnNode(path), world)


def test_info_funds_feerates_and_counters_agree(views: TwoViews) -> None:
    assert views.direct.info() == views.remote.info()
    assert views.direct.onchain_funds() == views.remote.onchain_funds()
    assert views.direct.feerates() == views.remote.feerates()
    assert views.direct.capabilities() == views.remote.capabilities()
    for counter in ("created", "updated", "deleted"):
        assert views.direct.forward_counter(counter) == views.remote.forward_counter(counter)


def test_channels_agree_open_closing_and_closed(views: TwoViews) -> None:
    listed = views.direct.channels()
    assert listed == views.remote.channels()
    assert {channel.state for channel in listed.channels} == {"CHANNELD_NORMAL", "ONCHAIN"}
    assert any(channel.htlcs for channel in listed.channels)
    assert not all(channel.peer_connected for channel in listed.channels)
    closed = views.direct.closed_channels()
    assert closed == views.remote.closed_channels()
    assert len(closed[0]) == 1


@pytest.mark.parametrize("index", ["created", "updated"])
def test_forwards_agree_page_by_page(views: TwoViews, index: ForwardIndex) -> None:
    start, read = 0, 0
    while True:
        page = views.direct.forwards(index, start=start, limit=300)
        assert page == views.remote.forwards(index, start=start, limit=300)
        if page.last_index is None:
            break
        start, read = page.last_index + 1, read + len(page.forwards)
    assert read > 500


def test_aliases_agree_and_strangers_have_none(views: TwoViews) -> None:
    ids = [peer.node_id for peer in views.world.peers] + ["02" + "11" * 32]
    names = views.direct.aliases(ids)
    assert names == views.remote.aliases(ids)
    assert len(names) == len(ids) - 1


def test_setting_a_fee_answers_alike_and_changes_one_channel(views: TwoViews) -> None:
    channel = views.world.peers[0].channels[0]
    for view, ppm in ((views.direct, 222), (views.remote, 333)):
        reply = view.set_channel_fee(channel.channel_id, fee(ppm))
        assert (reply.channel_id, reply.fee, reply.warnings) == (channel.channel_id, fee(ppm), ())
        assert [other for other in views.world.channels if other.fee == fee(ppm)] == [channel]


def test_a_channel_that_is_gone_or_going_is_refused_alike(views: TwoViews) -> None:
    for channel_id in ("11" * 32, views.world.forgotten[0].channel_id, closing_id(views.world)):
        for view in (views.direct, views.remote):
            with pytest.raises(NodeRefused) as refusal:
                view.set_channel_fee(channel_id, fee(1))
            assert refusal.value.code == -32602


def closing_id(world: World) -> str:
    return next(channel.channel_id for channel in world.channels if channel.state == "ONCHAIN")
