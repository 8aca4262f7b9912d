"""Native tools: x86-64 programs that do the work inside the aarch64 container."""
