"""Audited, tested, published Linux aarch64 wheels from an x86-64 machine."""

__version__ = "0.1.0"
