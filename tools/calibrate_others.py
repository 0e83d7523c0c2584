#!/usr/bin/env python3
"""The command; what it does is in `measure/calibrate_others.py`."""

import sys

from measure.calibrate_others import main

if __name__ == "__main__":
    sys.exit(main())
