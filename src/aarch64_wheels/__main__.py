"""`python -m aarch64_wheels`."""

import sys

from aarch64_wheels.cli import main

if __name__ == "__main__":
    sys.exit(main())
