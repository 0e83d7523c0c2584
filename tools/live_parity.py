#!/usr/bin/env python3
"""The command; what it does is in `parity_check/live_command.py`."""

import sys

from parity_check.live_command import main

if __name__ == "__main__":
    sys.exit(main())
