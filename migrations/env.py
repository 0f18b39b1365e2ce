"""Runs migrations on the connection that the daemon hands over, or on `-x url=…` for developers."""

from alembic import context
from sqlalchemy import Connection, create_engine

from revenued.store.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with create_engine(context.get_x_argument(as_dictionary=True)["url"]).begin() as own:
        _run(own)
