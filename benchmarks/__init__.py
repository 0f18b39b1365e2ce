"""What things cost, printed as JSON lines; nothing here is a test."""
