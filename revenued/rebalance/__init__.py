"""What is worth refilling: pure functions; nothing here can pay."""
