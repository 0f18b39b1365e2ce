"""What was earned and what it cost: sums over evidence; unknown stays unknown."""
