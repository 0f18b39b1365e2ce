"""What the traffic says: forwards become rates, states and confidence; nothing here knows a price or a database."""
