#!/usr/bin/env python3
"""The command; what it does is in `measure/benchmark_peers.py`."""

import sys

from measure.benchmark_peers import main

if __name__ == "__main__":
    sys.exit(main())
