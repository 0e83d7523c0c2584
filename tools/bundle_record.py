#!/usr/bin/env python3
"""The command; what it does is in `catalogue/bundle_record.py`."""

import sys

from catalogue.bundle_record import main

if __name__ == "__main__":
    sys.exit(main())
