"""the whole schema"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=66), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.Column("silenced_until", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "subject", name=op.f("pk_alerts")),
    )
    op.create_table(
        "audit",
        sa.Column("audit_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("old_value", sa.Text(), nullable=True),
        sa.Column("new_value", sa.Text(), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("audit_key", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_subject_changed_at"), "audit", ["subject", "changed_at"], unique=False)
    op.create_table(
        "clboss_tags",
        sa.Column("node_id", sa.String(length=66), nullable=False),
        sa.Column("former_tags", sa.Text(), nullable=False),
        sa.Column("our_tags", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_clboss_tags")),
    )
    op.create_table(
        "config_generation",
        sa.Column("singleton", sa.Integer(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("singleton = 1", name=op.f("ck_config_generation_one_row")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_config_generation")),
    )
    op.create_table(
        "config_overrides",
        sa.Column("option", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("option", name=op.f("pk_config_overrides")),
    )
    op.create_table(
        "cycles",
        sa.Column("cycle_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("cycle_key", name=op.f("pk_cycles")),
    )
    op.create_index(op.f("ix_cycles_kind_started_at"), "cycles", ["kind", "started_at"], unique=False)
    op.create_table(
        "feerate_samples",
        sa.Column("sampled_at", sa.BigInteger(), nullable=False),
        sa.Column("feerate_per_kw", sa.BigInteger(), nullable=False),
        sa.Column("floor_per_kw", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("sampled_at", name=op.f("pk_feerate_samples")),
    )
    op.create_table(
        "forward_days",
        sa.Column("day_at", sa.BigInteger(), nullable=False),
        sa.Column("scid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("in_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("in_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sourced_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("earned_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("in_failed_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_failed_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("in_local_failed_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_local_failed_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_liquidity_failed_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_liquidity_failed_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("day_at", "scid", name=op.f("pk_forward_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forward_hours",
        sa.Column("hour_at", sa.BigInteger(), nullable=False),
        sa.Column("scid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("in_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("in_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sourced_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("earned_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("in_failed_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_failed_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("in_local_failed_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_local_failed_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_liquidity_failed_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_liquidity_failed_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hour_at", "scid", name=op.f("pk_forward_hours")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forwards",
        sa.Column(
            "created_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("updated_index", sa.BigInteger(), nullable=True),
        sa.Column("in_scid", sa.BigInteger(), nullable=False),
        sa.Column("in_htlc_id", sa.BigInteger(), nullable=True),
        sa.Column("in_msat", sa.BigInteger(), nullable=False),
        sa.Column("out_scid", sa.BigInteger(), nullable=True),
        sa.Column("asked_scid", sa.BigInteger(), nullable=True),
        sa.Column("out_htlc_id", sa.BigInteger(), nullable=True),
        sa.Column("out_msat", sa.BigInteger(), nullable=True),
        sa.Column("fee_msat", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("failcode", sa.Integer(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("created_index", name=op.f("pk_forwards")),
    )
    op.create_index(
        "ix_forwards_offered",
        "forwards",
        ["created_index"],
        unique=False,
        sqlite_where=sa.text("status = 'offered'"),
        postgresql_where=sa.text("status = 'offered'"),
    )
    op.create_index(op.f("ix_forwards_received_at"), "forwards", ["received_at"], unique=False)
    op.create_table(
        "ignored_peers",
        sa.Column("node_id", sa.String(length=66), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ignored_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_ignored_peers")),
    )
    op.create_table(
        "ingest_cursor",
        sa.Column("singleton", sa.Integer(), nullable=False),
        sa.Column("created_index", sa.BigInteger(), nullable=False),
        sa.Column("updated_index", sa.BigInteger(), nullable=False),
        sa.Column("deleted_index", sa.BigInteger(), nullable=False),
        sa.Column("missing_count", sa.BigInteger(), nullable=False),
        sa.Column("recovered_count", sa.BigInteger(), nullable=False),
        sa.Column("recover_since", sa.BigInteger(), nullable=True),
        sa.Column("unreadable_count", sa.BigInteger(), nullable=False),
        sa.Column("target_index", sa.BigInteger(), nullable=False),
        sa.Column("hydrated_at", sa.BigInteger(), nullable=True),
        sa.Column("caught_up_at", sa.BigInteger(), nullable=True),
        sa.Column("stopped_reason", sa.Text(), nullable=True),
        sa.Column("pruned_before", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("singleton = 1", name=op.f("ck_ingest_cursor_one_row")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_ingest_cursor")),
    )
    op.create_table(
        "move_cursors",
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("created_index", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_move_cursors")),
    )
    op.create_table(
        "owner",
        sa.Column("singleton", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.String(length=66), nullable=False),
        sa.Column("network", sa.String(length=16), nullable=False),
        sa.Column("alias", sa.Text(), nullable=True),
        sa.Column("first_run_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("singleton = 1", name=op.f("ck_owner_one_row")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_owner")),
    )
    op.create_table(
        "pair_days",
        sa.Column("day_at", sa.BigInteger(), nullable=False),
        sa.Column("in_scid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("out_scid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("settled_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("in_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("out_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fee_msat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("day_at", "in_scid", "out_scid", name=op.f("pk_pair_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "peers",
        sa.Column("peer_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("node_id", sa.String(length=66), nullable=False),
        sa.Column("alias", sa.Text(), nullable=True),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("peer_key", name=op.f("pk_peers")),
        sa.UniqueConstraint("node_id", name=op.f("uq_peers_node_id")),
    )
    op.create_table(
        "route_beliefs",
        sa.Column("scid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("direction", sa.Integer(), nullable=False),
        sa.Column("passed_msat", sa.BigInteger(), nullable=True),
        sa.Column("failed_msat", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scid", "direction", name=op.f("pk_route_beliefs")),
    )
    op.create_table(
        "signal_nonces",
        sa.Column("origin", sa.String(length=66), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "nonce", name=op.f("pk_signal_nonces")),
    )
    op.create_index(op.f("ix_signal_nonces_expires_at"), "signal_nonces", ["expires_at"], unique=False)
    op.create_table(
        "snapshots",
        sa.Column("snapshot_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("onchain_confirmed_msat", sa.BigInteger(), nullable=True),
        sa.Column("onchain_unconfirmed_msat", sa.BigInteger(), nullable=True),
        sa.Column("channels_msat", sa.BigInteger(), nullable=False),
        sa.Column("closing_msat", sa.BigInteger(), nullable=False),
        sa.Column("htlcs_msat", sa.BigInteger(), nullable=False),
        sa.Column("capacity_msat", sa.BigInteger(), nullable=False),
        sa.Column("channel_count", sa.Integer(), nullable=False),
        sa.Column("skipped_count", sa.Integer(), nullable=False),
        sa.Column("earned_msat", sa.BigInteger(), nullable=False),
        sa.Column("forward_count", sa.BigInteger(), nullable=False),
        sa.Column("rebalance_paid_msat", sa.BigInteger(), nullable=False),
        sa.Column("onchain_paid_msat", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("snapshot_key", name=op.f("pk_snapshots")),
        sa.UniqueConstraint("taken_at", name=op.f("uq_snapshots_taken_at")),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switches")),
    )
    op.create_table(
        "channels",
        sa.Column("channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_id", sa.String(length=64), nullable=False),
        sa.Column("peer_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("scid", sa.BigInteger(), nullable=True),
        sa.Column("opener", sa.String(length=8), nullable=True),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("capacity_msat", sa.BigInteger(), nullable=False),
        sa.Column("funding_txid", sa.String(length=64), nullable=True),
        sa.Column("funding_outnum", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("close_cause", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["peer_key"], ["peers.peer_key"], name=op.f("fk_channels_peer_key")),
        sa.PrimaryKeyConstraint("channel_key", name=op.f("pk_channels")),
        sa.UniqueConstraint("channel_id", name=op.f("uq_channels_channel_id")),
    )
    op.create_index(op.f("ix_channels_peer_key"), "channels", ["peer_key"], unique=False)
    op.create_table(
        "market_prices",
        sa.Column("peer_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("median_ppm", sa.BigInteger(), nullable=False),
        sa.Column("channel_count", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["peer_key"], ["peers.peer_key"], name=op.f("fk_market_prices_peer_key")),
        sa.PrimaryKeyConstraint("peer_key", "seen_at", name=op.f("pk_market_prices")),
    )
    op.create_table(
        "peer_hours",
        sa.Column("peer_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hour_at", sa.BigInteger(), nullable=False),
        sa.Column("observed_count", sa.Integer(), nullable=False),
        sa.Column("connected_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["peer_key"], ["peers.peer_key"], name=op.f("fk_peer_hours_peer_key")),
        sa.PrimaryKeyConstraint("peer_key", "hour_at", name=op.f("pk_peer_hours")),
    )
    op.create_table(
        "refill_odds",
        sa.Column("peer_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("succeeded", sa.Float(), nullable=False),
        sa.Column("failed", sa.Float(), nullable=False),
        sa.Column("failed_in_a_row", sa.Integer(), nullable=False),
        sa.Column("blocked_until", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["peer_key"], ["peers.peer_key"], name=op.f("fk_refill_odds_peer_key")),
        sa.PrimaryKeyConstraint("peer_key", name=op.f("pk_refill_odds")),
    )
    op.create_table(
        "reputations",
        sa.Column("peer_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("settled", sa.Float(), nullable=False),
        sa.Column("failed", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["peer_key"], ["peers.peer_key"], name=op.f("fk_reputations_peer_key")),
        sa.PrimaryKeyConstraint("peer_key", name=op.f("pk_reputations")),
    )
    op.create_table(
        "channel_samples",
        sa.Column("channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sampled_at", sa.BigInteger(), nullable=False),
        sa.Column("connected", sa.Boolean(), nullable=False),
        sa.Column("to_us_msat", sa.BigInteger(), nullable=False),
        sa.Column("capacity_msat", sa.BigInteger(), nullable=False),
        sa.Column("outbound_ratio", sa.Float(), nullable=False),
        sa.Column("fee_ppm", sa.BigInteger(), nullable=True),
        sa.Column("base_fee_msat", sa.BigInteger(), nullable=True),
        sa.Column("htlcs_in", sa.Integer(), nullable=False),
        sa.Column("htlcs_out", sa.Integer(), nullable=False),
        sa.Column("htlcs_in_msat", sa.BigInteger(), nullable=False),
        sa.Column("htlcs_out_msat", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.channel_key"], name=op.f("fk_channel_samples_channel_key")),
        sa.PrimaryKeyConstraint("channel_key", "sampled_at", name=op.f("pk_channel_samples")),
    )
    op.create_index(op.f("ix_channel_samples_sampled_at"), "channel_samples", ["sampled_at"], unique=False)
    op.create_table(
        "channel_scids",
        sa.Column("scid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.channel_key"], name=op.f("fk_channel_scids_channel_key")),
        sa.PrimaryKeyConstraint("scid", name=op.f("pk_channel_scids")),
    )
    op.create_index(op.f("ix_channel_scids_channel_key"), "channel_scids", ["channel_key"], unique=False)
    op.create_table(
        "entries",
        sa.Column("entry_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("amount_msat", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("estimate", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.channel_key"], name=op.f("fk_entries_channel_key")),
        sa.PrimaryKeyConstraint("entry_key", name=op.f("pk_entries")),
    )
    op.create_index(op.f("ix_entries_happened_at"), "entries", ["happened_at"], unique=False)
    op.create_index("uq_entries_evidence", "entries", ["evidence", "reference", "kind"], unique=True)
    op.create_table(
        "episodes",
        sa.Column("channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.channel_key"], name=op.f("fk_episodes_channel_key")),
        sa.PrimaryKeyConstraint("channel_key", "kind", name=op.f("pk_episodes")),
    )
    op.create_table(
        "exposures",
        sa.Column("exposure_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("fee_ppm", sa.BigInteger(), nullable=False),
        sa.Column("base_ppm", sa.BigInteger(), nullable=False),
        sa.Column("forward_count", sa.BigInteger(), nullable=False),
        sa.Column("volume_msat", sa.BigInteger(), nullable=False),
        sa.Column("earned_msat", sa.BigInteger(), nullable=False),
        sa.Column("liquid_share", sa.Float(), nullable=False),
        sa.Column("online_share", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.channel_key"], name=op.f("fk_exposures_channel_key")),
        sa.PrimaryKeyConstraint("exposure_key", name=op.f("pk_exposures")),
    )
    op.create_index(op.f("ix_exposures_channel_key_ended_at"), "exposures", ["channel_key", "ended_at"], unique=False)
    op.create_table(
        "fee_changes",
        sa.Column("change_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cycle_key", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("from_ppm", sa.BigInteger(), nullable=True),
        sa.Column("to_ppm", sa.BigInteger(), nullable=True),
        sa.Column("from_base_msat", sa.BigInteger(), nullable=True),
        sa.Column("to_base_msat", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.channel_key"], name=op.f("fk_fee_changes_channel_key")),
        sa.PrimaryKeyConstraint("change_key", name=op.f("pk_fee_changes")),
    )
    op.create_index(op.f("ix_fee_changes_changed_at"), "fee_changes", ["changed_at"], unique=False)
    op.create_index(
        op.f("ix_fee_changes_channel_key_changed_at"), "fee_changes", ["channel_key", "changed_at"], unique=False
    )
    op.create_table(
        "fee_decisions",
        sa.Column("channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cycle_key", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("live_ppm", sa.BigInteger(), nullable=True),
        sa.Column("target_ppm", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("held_by", sa.String(length=32), nullable=True),
        sa.Column("held_why", sa.Text(), nullable=True),
        sa.Column("held_until", sa.BigInteger(), nullable=True),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.channel_key"], name=op.f("fk_fee_decisions_channel_key")),
        sa.PrimaryKeyConstraint("channel_key", name=op.f("pk_fee_decisions")),
    )
    op.create_table(
        "fee_states",
        sa.Column("channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("broadcast_ppm", sa.BigInteger(), nullable=True),
        sa.Column("broadcast_base_msat", sa.BigInteger(), nullable=True),
        sa.Column("broadcast_at", sa.BigInteger(), nullable=True),
        sa.Column("intended_ppm", sa.BigInteger(), nullable=True),
        sa.Column("intended_base_msat", sa.BigInteger(), nullable=True),
        sa.Column("intended_at", sa.BigInteger(), nullable=True),
        sa.Column("outside_ppm", sa.BigInteger(), nullable=True),
        sa.Column("outside_base_msat", sa.BigInteger(), nullable=True),
        sa.Column("outside_seen_at", sa.BigInteger(), nullable=True),
        sa.Column("pending_ppm", sa.BigInteger(), nullable=True),
        sa.Column("pending_since", sa.BigInteger(), nullable=True),
        sa.Column("gossip_allowance", sa.Float(), nullable=False),
        sa.Column("gossip_allowance_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.channel_key"], name=op.f("fk_fee_states_channel_key")),
        sa.PrimaryKeyConstraint("channel_key", name=op.f("pk_fee_states")),
    )
    op.create_table(
        "learner_states",
        sa.Column("channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("learner", sa.String(length=16), nullable=False),
        sa.Column("base_ppm", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.channel_key"], name=op.f("fk_learner_states_channel_key")),
        sa.PrimaryKeyConstraint("channel_key", "learner", name=op.f("pk_learner_states")),
    )
    op.create_table(
        "policies",
        sa.Column("policy_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("peer_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("strategy", sa.String(length=8), nullable=False),
        sa.Column("rebalance", sa.String(length=12), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(peer_key IS NULL) <> (channel_key IS NULL)", name=op.f("ck_policies_one_subject")),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.channel_key"], name=op.f("fk_policies_channel_key")),
        sa.ForeignKeyConstraint(["peer_key"], ["peers.peer_key"], name=op.f("fk_policies_peer_key")),
        sa.PrimaryKeyConstraint("policy_key", name=op.f("pk_policies")),
        sa.UniqueConstraint("channel_key", name=op.f("uq_policies_channel_key")),
        sa.UniqueConstraint("peer_key", name=op.f("uq_policies_peer_key")),
    )
    op.create_table(
        "rebalances",
        sa.Column("rebalance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("executor", sa.String(length=8), nullable=False),
        sa.Column("from_channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("to_channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("landed_channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("amount_msat", sa.BigInteger(), nullable=False),
        sa.Column("max_fee_msat", sa.BigInteger(), nullable=False),
        sa.Column("fee_msat", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("payment_hash", sa.String(length=64), nullable=True),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["from_channel_key"], ["channels.channel_key"], name=op.f("fk_rebalances_from_channel_key")
        ),
        sa.ForeignKeyConstraint(
            ["landed_channel_key"], ["channels.channel_key"], name=op.f("fk_rebalances_landed_channel_key")
        ),
        sa.ForeignKeyConstraint(
            ["to_channel_key"], ["channels.channel_key"], name=op.f("fk_rebalances_to_channel_key")
        ),
        sa.PrimaryKeyConstraint("rebalance_key", name=op.f("pk_rebalances")),
        sa.UniqueConstraint("label", name=op.f("uq_rebalances_label")),
        sa.UniqueConstraint("payment_hash", name=op.f("uq_rebalances_payment_hash")),
    )
    op.create_index(op.f("ix_rebalances_status"), "rebalances", ["status"], unique=False)
    op.create_index(
        op.f("ix_rebalances_to_channel_key_planned_at"), "rebalances", ["to_channel_key", "planned_at"], unique=False
    )
    op.create_table(
        "signals",
        sa.Column("channel_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["channel_key"], ["channels.channel_key"], name=op.f("fk_signals_channel_key")),
        sa.PrimaryKeyConstraint("channel_key", "kind", name=op.f("pk_signals")),
    )
    op.create_table(
        "spend_events",
        sa.Column("event_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rebalance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("amount_msat", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rebalance_key"], ["rebalances.rebalance_key"], name=op.f("fk_spend_events_rebalance_key")
        ),
        sa.PrimaryKeyConstraint("event_key", name=op.f("pk_spend_events")),
    )
    op.create_index(op.f("ix_spend_events_happened_at"), "spend_events", ["happened_at"], unique=False)
    op.create_index(op.f("ix_spend_events_rebalance_key"), "spend_events", ["rebalance_key"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("there is no schema before the first; restore a backup instead")
