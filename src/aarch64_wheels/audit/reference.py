"""The reference of all checks in Markdown, made from `data/checks.toml`. Pure."""

from __future__ import annotations

from aarch64_wheels.audit.catalogue import checks

#: What stands between them in docs/audit.md is made by `make docs`.
BEGIN, END = "<!-- checks: made by `make docs` -->", "<!-- end of checks -->"


def with_checks(page: str) -> str:
    """Put the reference into a page, between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{render_checks()}\n{END}{after}"


def render_checks() -> str:
    """Give a table of all checks, and below it each with its reason and remedy."""
    rows = checks().values()
    table = [f"| [`{row.name}`](#{row.name}) | {row.level} | {row.title} |" for row in rows]
    parts = [f"### `{row.name}`\n\n{row.why}\n\n*Remedy:* {row.remedy}\n" for row in rows]
    head = "| check | level | what it says of a wheel |\n| --- | --- | --- |"
    return "\n".join([head, *table, "", *parts])
