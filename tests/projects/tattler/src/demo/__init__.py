from demo._core import one

__all__ = ["one"]
