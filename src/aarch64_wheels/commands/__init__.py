"""The commands: each takes what `cli` or `action` has parsed, and returns an exit code."""
