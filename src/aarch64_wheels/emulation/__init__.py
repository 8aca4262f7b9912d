"""QEMU user emulation: found, probed with a real aarch64 program, and provided on request."""
