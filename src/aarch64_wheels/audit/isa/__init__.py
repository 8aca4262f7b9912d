"""Instructions above ARMv8.0 in an object, and whether it asks the processor before it uses them.

manylinux and musllinux call ARMv8.0-A aarch64. What is later ends a process by SIGILL on a
processor that does not know it; a library that has faster code for newer processors asks first.
"""

from __future__ import annotations

from aarch64_wheels.audit.isa.model import LaterCode, Use
from aarch64_wheels.audit.isa.scanner import instruction_at, scan

__all__ = ["LaterCode", "Use", "instruction_at", "scan"]
