"""Builds without containers, on an arm64 Linux host with its own interpreters: `--engine none`."""
