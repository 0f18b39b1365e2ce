"""Every table, in one place. Amounts are millisatoshi, instants microseconds UTC, scids signed 64-bit integers.

Big tables are keyed by integers and name channels by scid, because that is what the node's rows say; `channel_scids`
maps every scid and alias that a channel ever had to the channel, so a splice or a late-learned alias rewrites nothing.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from revenued.store.types import Instant, Json, Key

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _channel(*, primary: bool = False) -> Column[int]:
    return Column("channel_key", ForeignKey("channels.channel_key"), primary_key=primary, nullable=False)


# -- whose database this is, and what runs in it -----------------------------------------------------------------

owner = Table(
    "owner",
    metadata,
    Column("singleton", Integer, CheckConstraint("singleton = 1", name="one_row"), primary_key=True),
    Column("node_id", String(66), nullable=False),
    Column("network", String(16), nullable=False),
    Column("alias", Text),
    Column("first_run_at", Instant, nullable=False),
)
cycles = Table(
    "cycles",
    metadata,
    Column("cycle_key", Key, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", String(16), nullable=False),  # running | done | skipped | failed
    Column("reason", Text),
    Column("generation", BigInteger, nullable=False),
    Column("summary", Json),
    Index(None, "kind", "started_at"),
)
switches = Table(
    "switches",
    metadata,
    Column("name", String(32), primary_key=True),  # paused
    Column("value", Json, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
)

# -- peers and channels ------------------------------------------------------------------------------------------

peers = Table(
    "peers",
    metadata,
    Column("peer_key", Key, primary_key=True),
    Column("node_id", String(66), nullable=False, unique=True),
    Column("alias", Text),
    Column("first_seen_at", Instant, nullable=False),
)
channels = Table(
    "channels",
    metadata,
    Column("channel_key", Key, primary_key=True),
    Column("channel_id", String(64), nullable=False, unique=True),
    Column("peer_key", ForeignKey("peers.peer_key"), index=True),
    Column("scid", BigInteger),  # the newest; all of them are in channel_scids
    Column("opener", String(8)),
    Column("private", Boolean, nullable=False),
    Column("capacity_msat", BigInteger, nullable=False),
    Column("funding_txid", String(64)),
    Column("funding_outnum", Integer),
    Column("state", String(40), nullable=False),
    Column("opened_at", Instant),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("closed_at", Instant),  # set on positive evidence only
    Column("close_cause", Text),
)
channel_scids = Table(
    "channel_scids",
    metadata,
    Column("scid", BigInteger, primary_key=True, autoincrement=False),
    _channel(),
    Column("kind", String(8), nullable=False),  # scid | alias
    Column("first_seen_at", Instant, nullable=False),
    Index(None, "channel_key"),
)
channel_samples = Table(
    "channel_samples",
    metadata,
    _channel(primary=True),
    Column("sampled_at", Instant, primary_key=True),
    Column("connected", Boolean, nullable=False),
    Column("to_us_msat", BigInteger, nullable=False),
    Column("capacity_msat", BigInteger, nullable=False),
    Column("outbound_ratio", Float, nullable=False),
    Column("fee_ppm", BigInteger),
    Column("base_fee_msat", BigInteger),
    Column("htlcs_in", Integer, nullable=False),
    Column("htlcs_out", Integer, nullable=False),
    Column("htlcs_in_msat", BigInteger, nullable=False),
    Column("htlcs_out_msat", BigInteger, nullable=False),
    Index(None, "sampled_at"),
)
peer_hours = Table(
    "peer_hours",
    metadata,
    Column("peer_key", ForeignKey("peers.peer_key"), primary_key=True),
    Column("hour_at", Instant, primary_key=True),
    Column("observed_count", Integer, nullable=False),  # an hour without a row was not observed, which is not "down"
    Column("connected_count", Integer, nullable=False),
)

# -- forwards ----------------------------------------------------------------------------------------------------

forwards = Table(
    "forwards",
    metadata,
    # The node's own index; rows that were recovered from channel moves carry minus the index of the outgoing move.
    Column("created_index", Key, primary_key=True, autoincrement=False),
    Column("updated_index", BigInteger),
    Column("in_scid", BigInteger, nullable=False),
    Column("in_htlc_id", BigInteger),
    Column("in_msat", BigInteger, nullable=False),
    Column("out_scid", BigInteger),  # a channel of ours; null when the sender asked for something else
    Column("asked_scid", BigInteger),  # what the sender asked for, where that is no channel of ours
    Column("out_htlc_id", BigInteger),
    Column("out_msat", BigInteger),
    Column("fee_msat", BigInteger),
    Column("status", String(12), nullable=False),
    Column("failcode", Integer),
    Column("received_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    Index(None, "received_at"),
    Index("ix_forwards_offered", "created_index", sqlite_where=text("status = 'offered'"),
          postgresql_where=text("status = 'offered'")),
)  # fmt: skip


def _forward_sums() -> tuple[Column[int], ...]:
    return tuple(
        Column(name, BigInteger, nullable=False, server_default="0")
        for name in (
            "in_count", "in_msat", "sourced_msat",
            "out_count", "out_msat", "earned_msat",
            "in_failed_count", "out_failed_count",
            "in_local_failed_count", "out_local_failed_count",
            "out_liquidity_failed_count", "out_liquidity_failed_msat",
        )
    )  # fmt: skip


forward_hours = Table(
    "forward_hours",
    metadata,
    Column("hour_at", Instant, primary_key=True),
    Column("scid", BigInteger, primary_key=True, autoincrement=False),
    *_forward_sums(),
    sqlite_with_rowid=False,
)
forward_days = Table(
    "forward_days",
    metadata,
    Column("day_at", Instant, primary_key=True),
    Column("scid", BigInteger, primary_key=True, autoincrement=False),
    *_forward_sums(),
    sqlite_with_rowid=False,
)
pair_days = Table(
    "pair_days",
    metadata,
    Column("day_at", Instant, primary_key=True),
    Column("in_scid", BigInteger, primary_key=True, autoincrement=False),
    Column("out_scid", BigInteger, primary_key=True, autoincrement=False),
    Column("settled_count", BigInteger, nullable=False, server_default="0"),
    Column("in_msat", BigInteger, nullable=False, server_default="0"),
    Column("out_msat", BigInteger, nullable=False, server_default="0"),
    Column("fee_msat", BigInteger, nullable=False, server_default="0"),
    Column("failed_count", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
ingest_cursor = Table(
    "ingest_cursor",
    metadata,
    Column("singleton", Integer, CheckConstraint("singleton = 1", name="one_row"), primary_key=True),
    Column("created_index", BigInteger, nullable=False),
    Column("updated_index", BigInteger, nullable=False),
    Column("deleted_index", BigInteger, nullable=False),
    Column("missing_count", BigInteger, nullable=False),  # indexes that the node had already deleted when we came
    Column("recovered_count", BigInteger, nullable=False),  # of these, settled ones found again among channel moves
    Column("recover_since", Instant),  # rows deleted after this are still to be looked for; null: nothing to do
    Column("unreadable_count", BigInteger, nullable=False),
    Column("target_index", BigInteger, nullable=False),  # where hydration ends
    Column("hydrated_at", Instant),
    Column("caught_up_at", Instant),
    Column("stopped_reason", Text),
    Column("pruned_before", Instant),  # forwards received earlier may have been deleted by retention; sums keep them
)
reputations = Table(
    "reputations",
    metadata,
    Column("peer_key", ForeignKey("peers.peer_key"), primary_key=True),
    Column("settled", Float, nullable=False),
    Column("failed", Float, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

# -- prices ------------------------------------------------------------------------------------------------------

fee_states = Table(
    "fee_states",
    metadata,
    _channel(primary=True),
    # What the node confirmed that it told the network for us.
    Column("broadcast_ppm", BigInteger),
    Column("broadcast_base_msat", BigInteger),
    Column("broadcast_at", Instant),
    # What we were about to set. Written before the call and kept after it, so that a fee that appears late, after a
    # time-out or a crash, is known as ours.
    Column("intended_ppm", BigInteger),
    Column("intended_base_msat", BigInteger),
    Column("intended_at", Instant),
    # A fee that somebody else set.
    Column("outside_ppm", BigInteger),
    Column("outside_base_msat", BigInteger),
    Column("outside_seen_at", Instant),
    Column("pending_ppm", BigInteger),
    Column("pending_since", Instant),
    Column("gossip_allowance", Float, nullable=False),  # updates that may be sent now, refilled as time passes
    Column("gossip_allowance_at", Instant, nullable=False),
)
learner_states = Table(
    "learner_states",
    metadata,
    _channel(primary=True),
    Column("learner", String(16), primary_key=True),
    Column("base_ppm", BigInteger, nullable=False),
    Column("state", Json, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
exposures = Table(
    "exposures",
    metadata,
    Column("exposure_key", Key, primary_key=True),
    _channel(),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("fee_ppm", BigInteger, nullable=False),
    Column("base_ppm", BigInteger, nullable=False),
    Column("forward_count", BigInteger, nullable=False),
    Column("volume_msat", BigInteger, nullable=False),
    Column("earned_msat", BigInteger, nullable=False),
    Column("liquid_share", Float, nullable=False),
    Column("online_share", Float, nullable=False),
    Index(None, "channel_key", "ended_at"),
)
fee_decisions = Table(
    "fee_decisions",
    metadata,
    _channel(primary=True),  # the newest decision of each channel
    Column("cycle_key", BigInteger, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("live_ppm", BigInteger),
    Column("target_ppm", BigInteger),
    Column("outcome", String(16), nullable=False),
    Column("held_by", String(32)),
    Column("held_why", Text),
    Column("held_until", Instant),
    Column("steps", Json, nullable=False),
    Column("warnings", Json, nullable=False),
)
fee_changes = Table(
    "fee_changes",
    metadata,
    Column("change_key", Key, primary_key=True),
    _channel(),
    Column("cycle_key", BigInteger),
    Column("changed_at", Instant, nullable=False),
    Column("kind", String(16), nullable=False),  # broadcast | outside | refused | unknown
    Column("from_ppm", BigInteger),
    Column("to_ppm", BigInteger),
    Column("from_base_msat", BigInteger),
    Column("to_base_msat", BigInteger),
    Column("why", Text, nullable=False),
    Column("steps", Json, nullable=False),
    Index(None, "channel_key", "changed_at"),
    Index(None, "changed_at"),
)
episodes = Table(
    "episodes",
    metadata,
    _channel(primary=True),
    Column("kind", String(16), primary_key=True),  # congestion | probe | fire_sale
    Column("started_at", Instant, nullable=False),
    Column("ends_at", Instant),
    Column("state", Json, nullable=False),
)
feerate_samples = Table(
    "feerate_samples",
    metadata,
    Column("sampled_at", Instant, primary_key=True),
    Column("feerate_per_kw", BigInteger, nullable=False),
    Column("floor_per_kw", BigInteger),
)
market_prices = Table(
    "market_prices",
    metadata,
    Column("peer_key", ForeignKey("peers.peer_key"), primary_key=True),
    Column("seen_at", Instant, primary_key=True),
    Column("median_ppm", BigInteger, nullable=False),
    Column("channel_count", Integer, nullable=False),
    Column("detail", Json, nullable=False),
)

# -- refills -----------------------------------------------------------------------------------------------------

rebalances = Table(
    "rebalances",
    metadata,
    Column("rebalance_key", Key, primary_key=True),
    Column("label", String(64), nullable=False, unique=True),
    Column("executor", String(8), nullable=False),  # native | sling
    Column("from_channel_key", ForeignKey("channels.channel_key"), nullable=False),
    Column("to_channel_key", ForeignKey("channels.channel_key"), nullable=False),
    Column("landed_channel_key", ForeignKey("channels.channel_key")),
    Column("amount_msat", BigInteger, nullable=False),
    Column("max_fee_msat", BigInteger, nullable=False),
    Column("fee_msat", BigInteger),
    Column("status", String(12), nullable=False),  # planned | reserved | sent | complete | failed | unknown
    Column("payment_hash", String(64), unique=True),
    Column("planned_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("ended_at", Instant),
    Column("why", Json, nullable=False),
    Column("failure", Json),
    Index(None, "status"),
    Index(None, "to_channel_key", "planned_at"),
)
spend_events = Table(
    "spend_events",
    metadata,
    Column("event_key", Key, primary_key=True),
    Column("rebalance_key", ForeignKey("rebalances.rebalance_key"), nullable=False, index=True),
    Column("kind", String(8), nullable=False),  # hold | release | settle
    Column("amount_msat", BigInteger, nullable=False),
    Column("happened_at", Instant, nullable=False, index=True),
)
route_beliefs = Table(
    "route_beliefs",
    metadata,
    Column("scid", BigInteger, primary_key=True, autoincrement=False),
    Column("direction", Integer, primary_key=True),
    Column("passed_msat", BigInteger),
    Column("failed_msat", BigInteger),
    Column("updated_at", Instant, nullable=False),
)
refill_odds = Table(
    "refill_odds",
    metadata,
    Column("peer_key", ForeignKey("peers.peer_key"), primary_key=True),
    Column("succeeded", Float, nullable=False),
    Column("failed", Float, nullable=False),
    Column("failed_in_a_row", Integer, nullable=False),
    Column("blocked_until", Instant),
    Column("updated_at", Instant, nullable=False),
)

# -- books -------------------------------------------------------------------------------------------------------

entries = Table(
    "entries",
    metadata,
    Column("entry_key", Key, primary_key=True),
    Column("channel_key", ForeignKey("channels.channel_key")),
    Column("kind", String(16), nullable=False),  # rebalance | open | close | splice | sweep | onchain | lease
    Column("amount_msat", BigInteger, nullable=False),  # negative: paid
    Column("happened_at", Instant, nullable=False, index=True),
    Column("evidence", String(32), nullable=False),
    Column("reference", Text, nullable=False),
    Column("estimate", Boolean, nullable=False),
    Index("uq_entries_evidence", "evidence", "reference", "kind", unique=True),
)
move_cursors = Table(
    "move_cursors",
    metadata,
    Column("source", String(16), primary_key=True),  # channelmoves | chainmoves | networkevents
    Column("created_index", BigInteger, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
snapshots = Table(
    "snapshots",
    metadata,
    Column("snapshot_key", Key, primary_key=True),
    Column("taken_at", Instant, nullable=False, unique=True),
    Column("onchain_confirmed_msat", BigInteger),  # null: the node did not say
    Column("onchain_unconfirmed_msat", BigInteger),
    Column("channels_msat", BigInteger, nullable=False),
    Column("closing_msat", BigInteger, nullable=False),
    Column("htlcs_msat", BigInteger, nullable=False),
    Column("capacity_msat", BigInteger, nullable=False),
    Column("channel_count", Integer, nullable=False),
    Column("skipped_count", Integer, nullable=False),
    Column("earned_msat", BigInteger, nullable=False),  # over the 24 h before
    Column("forward_count", BigInteger, nullable=False),
    Column("rebalance_paid_msat", BigInteger, nullable=False),
    Column("onchain_paid_msat", BigInteger),  # null: not counted
)

# -- settings and who may touch what -----------------------------------------------------------------------------

config_generation = Table(
    "config_generation",
    metadata,
    Column("singleton", Integer, CheckConstraint("singleton = 1", name="one_row"), primary_key=True),
    Column("generation", BigInteger, nullable=False),
)
config_overrides = Table(
    "config_overrides",
    metadata,
    Column("option", String(64), primary_key=True),
    Column("value", Json, nullable=False),
    Column("generation", BigInteger, nullable=False),
)
audit = Table(
    "audit",
    metadata,
    Column("audit_key", Key, primary_key=True),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("subject", String(32), nullable=False),  # config | policy | ignore | switch | pin | signal
    Column("what", Text, nullable=False),
    Column("old_value", Json),
    Column("new_value", Json),
    Column("generation", BigInteger, nullable=False),
    Index(None, "subject", "changed_at"),
)
policies = Table(
    "policies",
    metadata,
    Column("policy_key", Key, primary_key=True),
    Column("peer_key", ForeignKey("peers.peer_key"), unique=True),
    Column("channel_key", ForeignKey("channels.channel_key"), unique=True),
    Column("strategy", String(8), nullable=False),  # dynamic | static | passive | hive
    Column("rebalance", String(12), nullable=False),  # enabled | disabled | source_only | sink_only
    Column("settings", Json, nullable=False),
    Column("expires_at", Instant),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint("(peer_key IS NULL) <> (channel_key IS NULL)", name="one_subject"),
)
ignored_peers = Table(
    "ignored_peers",
    metadata,
    Column("node_id", String(66), primary_key=True),
    Column("reason", Text),
    Column("ignored_at", Instant, nullable=False),
)
signals = Table(
    "signals",
    metadata,
    _channel(primary=True),
    Column("kind", String(24), primary_key=True),  # fee_override | rebalance_priority
    Column("value", Float, nullable=False),
    Column("origin", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
signal_nonces = Table(
    "signal_nonces",
    metadata,
    Column("origin", String(66), primary_key=True),
    Column("nonce", String(64), primary_key=True),
    Column("expires_at", Instant, nullable=False, index=True),
)
clboss_tags = Table(
    "clboss_tags",
    metadata,
    Column("node_id", String(66), primary_key=True),
    Column("former_tags", Json, nullable=False),
    Column("our_tags", Json, nullable=False),
    Column("changed_at", Instant, nullable=False),
)
alerts = Table(
    "alerts",
    metadata,
    Column("rule", String(32), primary_key=True),
    Column("subject", String(66), primary_key=True),
    Column("raised_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("cleared_at", Instant),
    Column("silenced_until", Instant),
    Column("detail", Json, nullable=False),
)
