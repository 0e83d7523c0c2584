"""`python -m parity_check` is `parity-check`."""

import sys

from parity_check.command import main

if __name__ == "__main__":
    sys.exit(main())
