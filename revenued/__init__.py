"""revenued runs a Core Lightning node as a routing business."""

from importlib.metadata import version

__version__ = version("revenued")
