#!/usr/bin/env python3
"""The command; what it does is in `catalogue/export_fixtures.py`."""

import sys

from catalogue.export_fixtures import main

if __name__ == "__main__":
    sys.exit(main())
