#!/usr/bin/env python3
"""The command; what it does is in `measure/measure_trace.py`."""

import sys

from measure.measure_trace import main

if __name__ == "__main__":
    sys.exit(main())
