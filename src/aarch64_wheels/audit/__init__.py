"""The audit: whether a wheel's content keeps what its name promises.

`check.audit_wheel` looks at one wheel; the command is in `commands.audit`. Nothing of it is
imported here: settings know the checks by name, and need no library that looks into wheels.
"""

from aarch64_wheels.audit.model import AuditResult, Finding, Level

__all__ = ["AuditResult", "Finding", "Level"]
