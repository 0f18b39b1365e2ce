"""The database: what was meant, what was paid, what the node told us; it decides nothing."""
