"""How a channel's funding changes: splices and mutual closes, and what they cost; every millisatoshi has a place."""

from revenued.model import NORMAL_STATES, Side
from revenued.sim.chain import MUTUAL_CLOSE_WEIGHT, OPENING_WEIGHT, Chain
from revenued.sim.channel import SimChannel
from revenued.units import MSAT_PER_SAT, Micros

CLOSING_STEPS = (
    ("CHANNELD_SHUTTING_DOWN", "User or plugin invoked close command"),
    ("CLOSINGD_SIGEXCHANGE", "Start closingd"),
    ("CLOSINGD_COMPLETE", "Closing complete"),
)
ONCHAIN_STEPS = (("FUNDING_SPEND_SEEN", "Onchain funding spend"), ("ONCHAIN", "Onchain init reply"))
BLOCKS_UNTIL_FORGOTTEN = 100


def owned_msat(channel: SimChannel) -> int:
    """Return what the node owns in a channel; once it is on chain, the wallet has it."""
    return 0 if channel.state == "ONCHAIN" else channel.to_us_msat


def begin_close(channel: SimChannel, now: Micros) -> None:
    """Agree on a mutual close; raises ValueError unless the channel is normal and free of HTLCs."""
    if channel.state not in NORMAL_STATES or channel.htlcs:
        raise ValueError(f"{channel.scid} cannot be closed now")
    for state, message in CLOSING_STEPS:
        channel.enter(state, at=now, cause="user", message=message)


def confirm_close(channel: SimChannel, chain: Chain, *, txid: str, now: Micros) -> None:
    """Put a close on chain: our balance, in whole satoshi and less the fee if we opened, goes to the wallet."""
    balance_sat = channel.to_us_msat // MSAT_PER_SAT
    fee_sat = chain.cost_sat(MUTUAL_CLOSE_WEIGHT, blocks=12) if channel.opener is Side.LOCAL else 0
    paid_out_sat = max(0, balance_sat - fee_sat)
    chain.receive(txid, 0, paid_out_sat)
    chain.paid_msat += channel.to_us_msat - paid_out_sat * MSAT_PER_SAT
    channel.closed_height = chain.height
    for state, message in ONCHAIN_STEPS:
        channel.enter(state, at=now, cause="user", message=message)


def is_forgotten(channel: SimChannel, chain: Chain) -> bool:
    """The close is so deep in the chain that the node lists the channel no more."""
    return channel.closed_height is not None and chain.height >= channel.closed_height + BLOCKS_UNTIL_FORGOTTEN


def splice(channel: SimChannel, chain: Chain, *, txid: str, scid: str, add_sat: int, now: Micros) -> None:
    """Move wallet funds into a channel under a new scid; raises ValueError when that is not possible."""
    if channel.state not in NORMAL_STATES or add_sat < 0:
        raise ValueError(f"{channel.scid} cannot be spliced now")
    fee_sat = chain.cost_sat(OPENING_WEIGHT, blocks=12)
    chain.spend(txid, add_sat + fee_sat)
    chain.paid_msat += fee_sat * MSAT_PER_SAT
    channel.former_scids.append(channel.scid)
    channel.scid, channel.funding_txid, channel.funding_outnum = scid, txid, 0
    channel.capacity_msat += add_sat * MSAT_PER_SAT
    channel.to_us_msat += add_sat * MSAT_PER_SAT
    channel.most_to_us_msat = max(channel.most_to_us_msat, channel.to_us_msat)
    channel.enter("CHANNELD_AWAITING_SPLICE", at=now, cause="user", message="Splice signed")
    channel.enter("CHANNELD_NORMAL", at=now, cause="user", message="Splice complete")
