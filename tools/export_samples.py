#!/usr/bin/env python3
"""The command; what it does is in `catalogue/export_samples.py`."""

import sys

from catalogue.export_samples import main

if __name__ == "__main__":
    sys.exit(main())
