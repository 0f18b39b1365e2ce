"""What a channel should cost: pure functions from a case to a decision that carries its reasons."""
