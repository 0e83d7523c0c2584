#!/usr/bin/env python3
"""The command; what it does is in `measure/calibrate_recordings.py`."""

import sys

from measure.calibrate_recordings import main

if __name__ == "__main__":
    sys.exit(main())
