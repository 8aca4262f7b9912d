"""A damped spring."""

from spring._core import positions

__all__ = ["positions"]
