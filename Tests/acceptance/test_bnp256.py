"""The Python curve that judges signatures of TPM wallets, judged itself: order, bilinearity, its own written vectors."""
import json
from pathlib import Path

import pytest

import bnp256

FILE = Path(__file__).parents[1] / "PairingTests/Vectors/bls-bnp256.json"


def test_the_curve_is_the_one_of_the_tcgs_registry():
    """The numbers of the TCG algorithm registry's BN_P256."""
    assert bnp256.P == 0xFFFFFFFFFFFCF0CD46E5F25EEE71A49F0CDC65FB12980A82D3292DDBAED33013
    assert bnp256.R == 0xFFFFFFFFFFFCF0CD46E5F25EEE71A49E0CDC65FB1299921AF62D536CD10B500D
    assert bnp256.find_z() == 1
    assert (bnp256.P**12 - 1) % bnp256.R == 0
    for point in (bnp256.G, bnp256.Q):
        assert bnp256.multiply(bnp256.R, point) is None


def test_the_pairing_is_bilinear_and_not_trivial():
    a, b = bnp256.random_secret(), bnp256.random_secret()
    left = bnp256.pairing_product([(bnp256.multiply(a, bnp256.G), bnp256.multiply(b, bnp256.Q))])
    right = bnp256.pairing_product([(bnp256.multiply(a * b % bnp256.R, bnp256.G), bnp256.Q)])
    assert left == right != bnp256.ONE
    assert bnp256.f12_pow(left, bnp256.R) == bnp256.ONE


def test_signatures_add_up():
    one, two = bnp256.random_secret(), bnp256.random_secret()
    key = bnp256.add_public_keys(bnp256.public_key(one), bnp256.public_key(two))
    signature = bnp256.add_signatures(bnp256.sign(one, b"m"), bnp256.sign(two, b"m"))
    assert key == bnp256.public_key((one + two) % bnp256.R)
    assert bnp256.verify(key, b"m", signature)
    assert not bnp256.verify(key, b"n", signature)
    assert not bnp256.verify(bnp256.public_key(one), b"m", signature)


def test_the_written_vectors_are_its_own():
    assert json.loads(FILE.read_text()) == bnp256.vectors()


@pytest.mark.parametrize("text", ["", "02", "00" * 33, "04" + "00" * 32, "02" + f"{bnp256.P:064x}", "02 " + "01" * 32])
def test_refused_signatures(text):
    with pytest.raises(bnp256.InvalidEncoding):
        bnp256.g1_from_text(text)
