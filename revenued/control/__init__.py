"""The local control socket: framing, server and client; what the methods do is decided by whoever serves them."""
