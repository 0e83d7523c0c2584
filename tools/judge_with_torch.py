#!/usr/bin/env python3
"""The command; what it does is in `catalogue/judge_with_torch.py`."""

import sys

from catalogue.judge_with_torch import main

if __name__ == "__main__":
    sys.exit(main())
