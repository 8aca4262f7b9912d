"""The stages of one target: each a function of (session, job) to its result."""
