"""The audit: whether a wheel's content keeps what its name promises.

`audit_wheel` looks at one wheel; `render_audit` and `run_audit` serve the command.
"""

from aarch64_wheels.audit.check import audit_wheel
from aarch64_wheels.audit.model import AuditResult, Finding, Level
from aarch64_wheels.audit.render import render_audit, run_audit

__all__ = ["AuditResult", "Finding", "Level", "audit_wheel", "render_audit", "run_audit"]
