"""Facts as data files: read by `catalogue`, `embedded` and `emulation`."""
