"""Proofs in the wrappers of 2024 and of Ethereum's tries, lists of permissible decryptors, and what ends with time."""
import json
import os
import time

import pytest

from chain_double import Chain
from decryption_client import KMS, OWN, Ask, Wallet
from test_decryption import Own, U8_04, vector, world  # noqa: F401
from wire import blob, fields, keccak, message, number


def acl(contract, handle, accounts, proofs=(), *more):
    """Field 100's Acl."""
    return message(blob(1, contract), blob(2, handle), *(blob(3, a) for a in accounts),
                   *(blob(5, message(blob(1, a), blob(2, p))) for a, p in proofs), *more)


class Listed(Ask):
    """A re-encryption with a list of permissible decryptors."""

    list = b""

    @property
    def bytes(self):
        return super().bytes + blob(100, self.list)


@pytest.mark.parametrize("form", ["gx", "eth"])
def test_a_wrapped_proof_decrypts_and_reencrypts_like_a_plain_one(world, form):
    w = world(form=form)
    ciphertext, wallet = vector(U8_04), Wallet()
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", wallet, ciphertext, 1, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    height, proof = w.mark(ciphertext, wallet.address)
    ask = Ask("GA", wallet, ciphertext, 1, height, proof, "Reencrypt", authorization=wallet.authorization())
    assert ask.check_reencryption(w.node.call(KMS, "Reencrypt", ask.bytes), w.server) == 42
    big = vector("t061_big/FheUint8_42_safe.bin")
    height, proof = w.mark(big)
    own = Own(big, 2, height, proof, "big", format=3)
    assert own.check(w.node.call(OWN, "PublicDecrypt", own.bytes), w, "big") == 42


@pytest.mark.parametrize("form", ["gx", "eth"])
def test_a_wrapper_that_says_anything_else_than_the_chain_grants_nothing(world, form):
    w = world(form=form)
    ciphertext, wallet = vector(U8_04), Wallet()
    handle = keccak(ciphertext)
    other = keccak(b"another ciphertext")
    w.chain.allow(other)
    w.chain.allow(handle, wallet.address)
    elsewhere = keccak(b"another contract")[:20]
    w.chain.allow(handle, contract=elsewhere)
    earlier, _ = w.mark(ciphertext)
    w.chain.allow(keccak(b"so that the state is another one"))
    latest = w.chain.make(2)
    w.followed()
    at = 1 if form == "eth" else 0
    good = w.chain.proof(latest, handle)
    stranger = Chain("kmsd-test-2", w.chain.contract, seed="stranger", form=form)
    stranger.allow(handle)
    stranger.allow(keccak(b"and here it is a third one"))
    stranger.make(latest)

    def spoilt(**spoil):
        return w.chain.proof(latest, handle, spoil=spoil)

    cases = {
        "another root": (spoilt(root=blob(4 + at, os.urandom(32))), "PERMISSION_DENIED"),
        "no root": (spoilt(root=b""), "INVALID_ARGUMENT"),
        "two roots": (spoilt(more=blob(4 + at, w.chain.blocks[latest]["header"]["app_hash"])), "INVALID_ARGUMENT"),
        "another height": (spoilt(height=number(3 + at, latest - 1)), "PERMISSION_DENIED"),
        "another handle": (spoilt(handle=blob(1, other)), "PERMISSION_DENIED"),
        "two handles": (spoilt(more=blob(1, other)), "INVALID_ARGUMENT"),
        "the other permission": (spoilt(permission=number(2 + at, 1)), "PERMISSION_DENIED"),
        "a permission that there is not": (spoilt(permission=number(2 + at, 2)), "INVALID_ARGUMENT"),
        "another contract in the wrapper": (spoilt(contract=blob(5 + at, elsewhere)), "PERMISSION_DENIED"),
        "an unknown field": (spoilt(more=number(9, 1)), "INVALID_ARGUMENT"),
        "no proof in it": (spoilt(proof=b""), "INVALID_ARGUMENT"),
        "garbage in it": (spoilt(proof=blob(6 + at, os.urandom(1000))), "INVALID_ARGUMENT"),
        "another ciphertext's": (w.chain.proof(latest, other, spoil={"handle": blob(1, handle)}), "PERMISSION_DENIED"),
        "another permission's": (w.chain.proof(latest, handle, wallet.address, spoil={
            "permission": b"", "account": b""}), "PERMISSION_DENIED"),
        "another contract's": (w.chain.proof(latest, handle, None, elsewhere), "PERMISSION_DENIED"),
        "another height's": (w.chain.proof(earlier, handle, spoil={
            "height": number(3 + at, latest), "root": blob(4 + at, w.chain.blocks[latest]["header"]["app_hash"])}), "PERMISSION_DENIED"),
        "another chain's": (stranger.proof(latest, handle), "PERMISSION_DENIED"),
        "cut off": (good[:-1], "INVALID_ARGUMENT"),
        "something behind it": (good + b"\0", "INVALID_ARGUMENT"),
        "what is within": (fields(good)[6 + at], "INVALID_ARGUMENT"),
        "garbage": (os.urandom(5_000), "INVALID_ARGUMENT"),
        "too long": (spoilt(more=blob(9, bytes(66_000))), "INVALID_ARGUMENT"),
    }
    if form == "eth":
        answer = w.chain.eth_get_proof(latest, w.chain.slot(handle), w.chain.contract)
        slot = answer["storageProof"][0]

        def told(**changes):
            return spoilt(proof=blob(7, json.dumps({**answer, **changes}).encode()))

        cases |= {
            "an account in a decryption": (spoilt(account=blob(2, wallet.address)), "PERMISSION_DENIED"),
            "another storage root": (told(storageHash="0x" + "11" * 32), "PERMISSION_DENIED"),
            "another balance": (told(balance="0x1"), "PERMISSION_DENIED"),
            "another account": (told(address="0x" + elsewhere.hex()), "PERMISSION_DENIED"),
            "two slots": (told(storageProof=[slot, slot]), "INVALID_ARGUMENT"),
            "no slot": (told(storageProof=[]), "INVALID_ARGUMENT"),
            "another value": (told(storageProof=[{**slot, "value": "0x2"}]), "PERMISSION_DENIED"),
            "a node too many": (told(accountProof=answer["accountProof"] + answer["accountProof"][-1:]), "INVALID_ARGUMENT"),
            "a node too few": (told(storageProof=[{**slot, "proof": slot["proof"][:-1]}]), "INVALID_ARGUMENT"),
            "a member that is unknown": (told(error="0x1"), "INVALID_ARGUMENT"),
        }
    for name, (proof, expected) in cases.items():
        code, words = w.node.refused(KMS, "Decrypt", Ask("GA", wallet, ciphertext, 1, latest, proof).bytes)
        assert code == expected, f"{name}: {code} {words}"
    ask = Ask("GA", wallet, ciphertext, 1, latest, good)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    # Taken back: what is shown then is that nothing is there.
    w.chain.revoke(handle)
    w.chain.make(2)
    w.followed()
    ask = Ask("GA", wallet, ciphertext, 1, w.chain.height, w.chain.proof(w.chain.height, handle))
    assert w.node.refused(KMS, "Decrypt", ask.bytes)[0] == "PERMISSION_DENIED"
    # A plain proof is none where wrapped ones are configured.
    if form == "gx":
        plain = w.chain.proof_of_key(latest, w.chain.key(handle))
        assert w.node.refused(KMS, "Decrypt", Ask("GA", wallet, ciphertext, 1, latest, plain).bytes)[0] == "INVALID_ARGUMENT"


def test_a_wrapped_proof_is_none_where_plain_ones_are_configured(world):
    w = world()
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    wrapped = w.chain.wrapped(height, keccak(ciphertext), None, proof)
    assert w.node.refused(KMS, "Decrypt", Ask("GA", Wallet(), ciphertext, 1, height, wrapped).bytes)[0] == "INVALID_ARGUMENT"


def test_a_list_of_permissible_decryptors_counts_only_with_proofs(world):
    w = world()
    ciphertext, wallet, friend, stranger = vector(U8_04), Wallet(), Wallet(), Wallet()
    handle = keccak(ciphertext)
    w.chain.allow(handle, friend.address)
    height, proof = w.mark(ciphertext, wallet.address)
    theirs = w.chain.proof(height, handle, friend.address)

    def ask(who, plain, listed):
        question = Listed("GA", who, ciphertext, 1, height, plain, "Reencrypt", authorization=who.authorization())
        question.list = listed
        return question

    def opens(who, plain, listed):
        question = ask(who, plain, listed)
        return question.check_reencryption(w.node.call(KMS, "Reencrypt", question.bytes), w.server)

    def refused(who, plain, listed):
        return w.node.refused(KMS, "Reencrypt", ask(who, plain, listed).bytes)

    both = [wallet.address, friend.address]
    full = acl(w.chain.contract, handle, both, [(wallet.address, proof), (friend.address, theirs)])
    # One object for all whom it names; nobody else's proof is needed for one's own.
    assert opens(wallet, b"", full) == 42 and opens(friend, b"", full) == 42
    assert opens(wallet, proof, full) == 42
    assert opens(wallet, b"", acl(w.chain.contract, handle, both, [(wallet.address, proof)])) == 42
    # A bare list neither grants nor takes the place of a proof.
    assert opens(wallet, proof, acl(w.chain.contract, handle, both)) == 42
    assert refused(wallet, b"", acl(w.chain.contract, handle, both))[0] == "PERMISSION_DENIED"
    assert refused(stranger, b"", acl(w.chain.contract, handle, [stranger.address]))[0] == "PERMISSION_DENIED"
    cases = {
        "somebody else's proof": (stranger, b"", acl(w.chain.contract, handle, [stranger.address], [
            (stranger.address, proof)]), "PERMISSION_DENIED"),
        "a right proof and a false one": (wallet, proof, acl(w.chain.contract, handle, both, [
            (wallet.address, theirs)]), "PERMISSION_DENIED"),
        "not on the list": (wallet, proof, acl(w.chain.contract, handle, [friend.address]), "PERMISSION_DENIED"),
        "another contract's list": (wallet, proof, acl(bytes(20), handle, both), "PERMISSION_DENIED"),
        "another ciphertext's list": (wallet, proof, acl(w.chain.contract, bytes(32), both), "PERMISSION_DENIED"),
        "an empty list": (wallet, proof, acl(w.chain.contract, handle, []), "INVALID_ARGUMENT"),
        "an account twice": (wallet, proof, acl(w.chain.contract, handle, [wallet.address] * 2), "INVALID_ARGUMENT"),
        "two proofs of one": (wallet, proof, acl(w.chain.contract, handle, both, [(wallet.address, proof)] * 2),
                              "INVALID_ARGUMENT"),
        "a proof of one who is not on it": (wallet, proof, acl(w.chain.contract, handle, [wallet.address], [
            (friend.address, theirs)]), "INVALID_ARGUMENT"),
        "a short account": (wallet, proof, acl(w.chain.contract, handle, [wallet.address, b"x" * 19]), "INVALID_ARGUMENT"),
        "a time of expiry, for which nobody vouches": (wallet, proof, acl(
            w.chain.contract, handle, both, [], number(4, int(time.time()) + 600)), "INVALID_ARGUMENT"),
        "an unknown field": (wallet, proof, acl(w.chain.contract, handle, both, [], number(9, 1)), "INVALID_ARGUMENT"),
        "an unknown field in a proof": (wallet, proof, acl(w.chain.contract, handle, both) + blob(5, message(
            blob(1, wallet.address), blob(2, proof), number(3, 1))), "INVALID_ARGUMENT"),
        "more accounts than can be": (wallet, proof, acl(w.chain.contract, handle, [
            n.to_bytes(20, "big") for n in range(64)] + [wallet.address]), "INVALID_ARGUMENT"),
        "garbage": (wallet, proof, os.urandom(300), "INVALID_ARGUMENT"),
    }
    for name, (who, plain, listed, expected) in cases.items():
        code, words = refused(who, plain, listed)
        assert code == expected, f"{name}: {code} {words}"


@pytest.mark.parametrize("generation", ["GB", "own"])
def test_lists_of_permissible_decryptors_are_taken_by_the_other_services_too(world, generation):
    w = world("GB")
    ciphertext, wallet, other = vector("t061_small/FheUint32_3735928559.bin"), Wallet(), Wallet()
    height, proof = w.mark(ciphertext, wallet.address)
    handle = keccak(ciphertext)

    def ask(listed):
        if generation == "own":
            question = OwnListed(ciphertext, 4, height, b"", "small", 2, wallet, wallet.authorization())
            question.list = listed
            return OWN, "UserDecrypt", question
        question = Listed("GB", wallet, ciphertext, 4, height, b"", "Reencrypt", "small", wallet.authorization())
        question.list = listed
        return KMS, "Reencrypt", question

    service, method, question = ask(acl(w.chain.contract, handle, [wallet.address, other.address], [(wallet.address, proof)]))
    answer = w.node.call(service, method, question.bytes)
    found = question.check(answer, w, "small") if generation == "own" else question.check_reencryption(answer, w.server)
    assert found == 3735928559
    service, method, question = ask(acl(w.chain.contract, handle, [other.address], [(other.address, proof)]))
    assert w.node.refused(service, method, question.bytes)[0] == "PERMISSION_DENIED"


class OwnListed(Own):
    list = b""

    @property
    def bytes(self):
        return super().bytes + blob(9, self.list)

    def fields_of_digest(self):
        return (*super().fields_of_digest(), self.list)


def test_an_authorisation_that_has_ended_does_not_get_the_kept_answer_either(world):
    w = world()
    ciphertext, wallet = vector("t061_big/FheUint8_42_safe.bin"), Wallet()
    height, proof = w.mark(ciphertext, wallet.address)
    # The shortest window has a day; this one's end is some seconds away, more than a slow machine takes for two answers.
    end = int(time.time()) + 20
    ask = Own(ciphertext, 2, height, proof, "big", 3, wallet, wallet.permit(end - 86_400, 1))
    answer = w.node.call(OWN, "UserDecrypt", ask.bytes)
    assert ask.check(answer, w, "big") == 42 and w.node.call(OWN, "UserDecrypt", ask.bytes) == answer
    deadline = time.monotonic() + 60
    while time.time() <= end and time.monotonic() < deadline:
        time.sleep(0.2)
    code, words = w.node.refused(OWN, "UserDecrypt", ask.bytes)
    assert code == "PERMISSION_DENIED" and "authorization-expired" in words


def test_a_disabled_key_does_not_repeat_its_answers(world):
    w = world()
    ciphertext = vector("t061_big/FheUint8_42_safe.bin")
    height, proof = w.mark(ciphertext)
    ask = Own(ciphertext, 2, height, proof, "big", format=3)
    answer = w.node.call(OWN, "PublicDecrypt", ask.bytes)
    for verb, isServed in (("disable", False), ("enable", True)):
        w.daemon.terminate()
        w.installation.run("decryption", "key", verb, "big")
        w.start()
        if isServed:
            assert w.node.call(OWN, "PublicDecrypt", ask.bytes) == answer
        else:
            assert w.node.refused(OWN, "PublicDecrypt", ask.bytes)[0] == "FAILED_PRECONDITION"


def test_what_was_shown_once_is_worth_nothing_elsewhere(world):
    """Replays: an authorisation for another key, a list for another ciphertext, a proof after it was taken back."""
    w = world(KMS_DECRYPTION_MAX_PROOF_AGE="3")
    ciphertext, wallet, thief = vector(U8_04), Wallet(), Wallet()
    handle = keccak(ciphertext)
    height, proof = w.mark(ciphertext, wallet.address)
    seen = wallet.authorization()
    ask = Listed("GA", wallet, ciphertext, 1, height, proof, "Reencrypt", authorization=seen)
    ask.list = acl(w.chain.contract, handle, [wallet.address], [(wallet.address, proof)])
    assert ask.check_reencryption(w.node.call(KMS, "Reencrypt", ask.bytes), w.server) == 42
    stolen = Listed("GA", thief, ciphertext, 1, height, proof, "Reencrypt", authorization=seen)
    stolen.list = ask.list
    assert w.node.refused(KMS, "Reencrypt", stolen.bytes)[0] == "PERMISSION_DENIED"
    # The same bytes again give another box, to the same wallet only.
    first, second = (fields(w.node.call(KMS, "Reencrypt", ask.bytes))[4] for _ in range(2))
    assert first != second and {wallet.open(b, w.server, wallet.verification_key)[0] for b in (first, second)} == {b"\x2a"}
    w.chain.revoke(handle, wallet.address)
    w.chain.make(4)
    w.followed()
    assert w.node.refused(KMS, "Reencrypt", ask.bytes)[0] == "FAILED_PRECONDITION"
