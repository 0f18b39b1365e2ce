"""The straight lines: read the node and the store, think, act, record. One function a cycle."""
