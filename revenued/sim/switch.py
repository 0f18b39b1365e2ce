"""The node's own part in forwarding: its checks, the HTLCs on both sides and the record; nothing here draws chance."""

from dataclasses import dataclass

from revenued.model import ForwardStatus
from revenued.sim.chain import Chain
from revenued.sim.channel import SimChannel
from revenued.sim.forwards import ForwardBook, ForwardRow
from revenued.units import Micros

TEMPORARY_CHANNEL_FAILURE = 0x1007
FEE_INSUFFICIENT = 0x100C
UNKNOWN_NEXT_PEER = 0x400A
CLTV_DELTA = 34
OUT_EXPIRY_BLOCKS = 80


@dataclass(frozen=True, slots=True)
class InFlight:
    """A forward on its way."""

    row: ForwardRow
    in_channel: SimChannel
    out_channel: SimChannel
    out_htlc_id: int


class Switch:
    """Takes HTLCs from one channel to another."""

    def __init__(self, chain: Chain) -> None:
        self.book = ForwardBook()
        self.in_flight: dict[int, InFlight] = {}
        """By created index."""
        self._chain = chain

    def forward(
        self, in_channel: SimChannel, asked: SimChannel, *, in_msat: int, out_msat: int, now: Micros
    ) -> ForwardRow:
        """Answer a sender who asks to leave through the channel `asked`: the row is `offered` or `local_failed`.

        As in the node, the HTLC may leave by another channel of the same peer at the same fee, whichever has most room.
        """
        if in_msat - out_msat < asked.least_fee_msat(out_msat, now):
            return self.refuse(in_channel, asked.scid, in_msat=in_msat, failcode=FEE_INSUFFICIENT, now=now)
        equals = [other for other in asked.peer.channels if other.is_usable and other.fee == asked.fee]
        widest = max(equals, key=lambda other: other.spendable_msat, default=None)
        if widest is None or out_msat > widest.spendable_msat:
            asked.drained_at = now
            return self.refuse(in_channel, asked.scid, in_msat=in_msat, failcode=TEMPORARY_CHANNEL_FAILURE, now=now)
        return self.offer(in_channel, widest, in_msat=in_msat, out_msat=out_msat, now=now)

    def offer(
        self, in_channel: SimChannel, out_channel: SimChannel, *, in_msat: int, out_msat: int, now: Micros
    ) -> ForwardRow:
        """Put a forward in flight through exactly these channels."""
        height = self._chain.height + OUT_EXPIRY_BLOCKS
        in_htlc = in_channel.add_htlc(in_msat, incoming=True, expiry_height=height + CLTV_DELTA)
        out_htlc = out_channel.add_htlc(out_msat, incoming=False, expiry_height=height)
        row = ForwardRow(
            created_index=0,
            in_scid=in_channel.scid,
            in_htlc_id=in_htlc.htlc_id,
            in_msat=in_msat,
            status=ForwardStatus.OFFERED,
            received_at=now,
            out_scid=out_channel.scid,
            out_htlc_id=out_htlc.htlc_id,
            out_msat=out_msat,
        )
        self.book.add(row)
        self.in_flight[row.created_index] = InFlight(row, in_channel, out_channel, out_htlc.htlc_id)
        return row

    def refuse(self, in_channel: SimChannel, out_scid: str, *, in_msat: int, failcode: int, now: Micros) -> ForwardRow:
        """Record a forward that the node itself turned away; `out_scid` is what the sender wrote."""
        row = ForwardRow(
            created_index=0,
            in_scid=in_channel.scid,
            in_htlc_id=in_channel.count_htlc(in_msat, incoming=True),
            in_msat=in_msat,
            status=ForwardStatus.LOCAL_FAILED,
            received_at=now,
            out_scid=out_scid,
            failcode=failcode,
        )
        return self.book.add(row)

    def finish(self, row: ForwardRow, *, settled: bool, now: Micros) -> None:
        """Settle or fail a forward that is in flight; raises KeyError when it is not."""
        flight = self.in_flight.pop(row.created_index)
        flight.out_channel.remove_htlc(flight.out_htlc_id, incoming=False, fulfilled=settled)
        flight.in_channel.remove_htlc(row.in_htlc_id, incoming=True, fulfilled=settled)
        self.book.resolve(row, ForwardStatus.SETTLED if settled else ForwardStatus.FAILED, at=now)
