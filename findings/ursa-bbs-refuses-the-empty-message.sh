#!/usr/bin/env bash
# ursa-bbs-signatures 1.0.1: a list of messages with an empty one cannot be signed.
#
# Expected: BBS+ hashes any byte string to a scalar; the empty one is legal, and other implementations sign it.
#
# Seen 2026-11-29, ursa-bbs-signatures 1.0.1 (PyPI): FfiException, "Message cannot be empty", also among others. A
# credential with an empty field needs a stand-in on which both sides agree.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ursa-bbs-signatures==1.0.1
venv/bin/python - <<'PYTHON'
import ursa_bbs_signatures as bbs

key = bbs.BlsKeyPair.generate_g2()


def signs(messages):
    try:
        signature = bbs.sign(bbs.SignRequest(key, messages))
        return bbs.verify(bbs.VerifyRequest(key, signature, messages))
    except Exception as error:
        return str(error).strip("'")


seen = [signs(messages) for messages in (["name", "city"], ["name", ""], [""])]
print(seen)
assert seen[0] is True and all("cannot be empty" in str(answer) for answer in seen[1:])
PYTHON
