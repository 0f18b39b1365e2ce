"""The process: what is built in which order, when it wakes, and how it stops."""
