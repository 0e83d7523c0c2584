#!/usr/bin/env python3
"""The command; what it does is in `measure/benchmark_reading.py`."""

import sys

from measure.benchmark_reading import main

if __name__ == "__main__":
    sys.exit(main())
