"""Core Lightning: the only room that talks to the node; it decides nothing."""
