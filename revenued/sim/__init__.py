"""A market with a node in it; the daemon never imports this room."""
