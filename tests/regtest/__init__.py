"""The daemon as it is installed, beside real lightningd nodes that pay each other on a private chain."""
