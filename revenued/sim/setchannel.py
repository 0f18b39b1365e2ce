"""The simulated `setchannel`: whom it hits, what it refuses and clamps, as Core Lightning does."""

from dataclasses import dataclass

from revenued.errors import NodeRefused
from revenued.model import NORMAL_STATES, ChannelFee
from revenued.sim.channel import SimChannel
from revenued.sim.channel_shapes import policy_reply
from revenued.sim.params import INVALID_PARAMS, U32_MAX, Params, integer, is_node_id, is_scid, msat, refused
from revenued.sim.shapes import Json
from revenued.sim.world import ENFORCE_DELAY_SECONDS, World
from revenued.units import Msat, Ppm

USAGE = "id [feebase] [feeppm] [htlcmin] [htlcmax] [enforcedelay] [ignorefeelimits]"


@dataclass(frozen=True, slots=True)
class ChannelRequest:
    """A `setchannel` that was understood; None leaves a value as it is."""

    channels: tuple[SimChannel, ...]
    base_fee_msat: int | None
    fee_ppm: int | None
    htlc_minimum_msat: int | None
    htlc_maximum_msat: int | None
    enforce_delay_seconds: int


def channel_request(world: World, params: Params) -> ChannelRequest:
    """Return what is asked for; raises NodeRefused in the node's words."""
    base, ppm = msat(params, "feebase", most=U32_MAX), integer(params, "feeppm", most=U32_MAX)
    least, most = msat(params, "htlcmin"), msat(params, "htlcmax")
    delay = integer(params, "enforcedelay", most=U32_MAX)
    if params.get("ignorefeelimits") not in (None, True, False, "true", "false"):
        raise refused("ignorefeelimits", "should be 'true' or 'false'", params["ignorefeelimits"])
    if least is not None and most is not None and most < least:
        raise NodeRefused("htlcmax cannot be less than htlcmin", -1)
    delay = ENFORCE_DELAY_SECONDS if delay is None else delay
    return ChannelRequest(_addressed(world, params["id"]), base, ppm, least, most, delay)


def set_channel(world: World, params: Params) -> Json:
    """Carry out `setchannel` and return what is in force now."""
    request = channel_request(world, params)
    return {"channels": [_apply(world, channel, request) for channel in request.channels]}


def _addressed(world: World, name: object) -> tuple[SimChannel, ...]:
    if name == "all":
        return tuple(channel for channel in world.channels if channel.state in NORMAL_STATES)
    if not isinstance(name, str):
        raise refused("id", "should be a channel ID or short channel ID", name)
    channel = world.find(name)
    if channel is not None:
        if channel.state not in NORMAL_STATES:
            raise refused("id", f"Channel in state {channel.state}", name)
        return (channel,)
    if is_scid(name):
        raise refused("id", "Short channel id not found", name)
    if is_node_id(name):
        return _of_peer(world, name)
    unknown = "Channel id not found" if len(name) == 64 else "should be a channel ID or short channel ID"
    raise refused("id", unknown, name)


def _of_peer(world: World, node_id: str) -> tuple[SimChannel, ...]:
    if node_id not in {peer.node_id for peer in world.peers}:
        raise NodeRefused("id: Unknown peer", INVALID_PARAMS)
    of_peer = [channel for channel in world.channels if channel.peer.node_id == node_id]
    usable = tuple(channel for channel in of_peer if channel.state in NORMAL_STATES)
    if not usable:
        raise NodeRefused("Could not find any active channels of peer with that id", -1)
    return usable


def _apply(world: World, channel: SimChannel, request: ChannelRequest) -> Json:
    warnings: Json = {}
    base = channel.fee.base_fee_msat if request.base_fee_msat is None else request.base_fee_msat
    ppm = channel.fee.fee_ppm if request.fee_ppm is None else request.fee_ppm
    if request.htlc_minimum_msat is not None:
        channel.htlc_minimum_msat = request.htlc_minimum_msat
    if request.htlc_maximum_msat is not None:
        possible = channel.capacity_msat - channel.reserve_msat
        if request.htlc_maximum_msat > possible:
            warnings["warning_htlcmax_too_high"] = "Set maximum_htlc_out_msat to maximum possible in channel"
        channel.htlc_maximum_msat = min(possible, request.htlc_maximum_msat)
    fee = ChannelFee(Msat(base), Ppm(ppm))
    world.set_fee(channel, fee, enforce_delay_seconds=request.enforce_delay_seconds)
    return policy_reply(channel, warnings)
