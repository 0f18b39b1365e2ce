"""Tests of the room that talks to the node."""
