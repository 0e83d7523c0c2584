#!/usr/bin/env python3
"""The command; what it does is in `catalogue/export_reported.py`."""

import sys

from catalogue.export_reported import main

if __name__ == "__main__":
    sys.exit(main())
