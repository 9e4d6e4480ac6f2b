#!/usr/bin/env python3
"""Makes the user's half of a signature: sign_half.py ROW.json HASH prints the body of POST /zauth/sign/msg."""
import json
import sys

import bn254

row, digest = json.load(open(sys.argv[1])), sys.argv[2]
half = bn254.sign(bn254.secret_from_text(row["private_key"]), bytes.fromhex(digest))
print(json.dumps({"hash": digest, "signature": half, "client_id": row["client_id"]}))
