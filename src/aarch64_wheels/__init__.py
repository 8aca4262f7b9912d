"""Audited Linux aarch64 wheels from an ordinary x86-64 machine."""

__version__ = "0.1.0"
