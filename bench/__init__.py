"""Measures builds side by side: cibuildwheel, emulated, accelerated, native (see README.md)."""
