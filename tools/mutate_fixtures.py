#!/usr/bin/env python3
"""The command; what it does is in `measure/mutate_fixtures.py`."""

import sys

from measure.mutate_fixtures import main

if __name__ == "__main__":
    sys.exit(main())
