#!/usr/bin/env python3
"""The command; what it does is in `catalogue/export_keras.py`."""

import sys

from catalogue.export_keras import main

if __name__ == "__main__":
    sys.exit(main())
