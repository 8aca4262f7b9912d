"""The report: what happened, and every way of telling it."""
