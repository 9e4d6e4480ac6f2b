#!/usr/bin/env python3
"""Verifies a signature under a wallet's key: verify.py ROW.json HASH SIGNATURE."""
import json
import sys

import bn254

row = json.load(open(sys.argv[1]))
if not bn254.verify(row["client_key"], bytes.fromhex(sys.argv[2]), sys.argv[3]):
    sys.exit("not valid under the wallet's key")
print("valid under the wallet's key")
