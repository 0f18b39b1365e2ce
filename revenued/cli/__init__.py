"""revenuectl: the human form of the control socket's methods."""
