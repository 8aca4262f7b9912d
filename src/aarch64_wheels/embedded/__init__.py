"""The embedded image: assembled on this machine from Debian packages, no registry needed."""
