"""Protobuf and the KMS's DER by hand, so that a test can also write what no library would."""
import hashlib

from eth_hash.auto import keccak

__all__ = ["keccak", "varint", "number", "blob", "message", "fields", "der_vector", "der_octets", "der_number", "der_type", "der_text",
           "der_sequence", "read_der", "sha3"]


def sha3(data):
    return hashlib.sha3_256(data).digest()


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value) if value else b""


def blob(field, value, always=False):
    return varint(field << 3 | 2) + varint(len(value)) + value if value or always else b""


def message(*parts):
    return b"".join(parts)


def fixed(field, value):
    return varint(field << 3 | 1) + (value & (1 << 64) - 1).to_bytes(8, "little") if value else b""


def fields(data):
    """Field number to value; what comes twice becomes a list."""
    found, at = {}, 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = read()
        if tag & 7 == 0:
            value = read()
        elif tag & 7 == 2:
            length = read()
            value = data[at:at + length]
            assert len(value) == length
            at += length
        else:
            raise AssertionError(f"wire type {tag & 7}")
        if tag >> 3 in found:
            old = found[tag >> 3]
            found[tag >> 3] = (old if isinstance(old, list) else [old]) + [value]
        else:
            found[tag >> 3] = value
    return found


def _tlv(tag, content):
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


_BYTES = [bytes([2, 1, b]) if b < 0x80 else bytes([2, 2, 0, b]) for b in range(256)]


def der_vector(data):
    return _tlv(0x30, b"".join(map(_BYTES.__getitem__, data)))


def der_octets(data):
    return _tlv(0x04, data)


def der_number(value):
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def der_type(value):
    return _tlv(0x04, value.to_bytes(4, "little"))


def der_text(text):
    return _tlv(0x0C, text.encode())


def der_sequence(*parts):
    return _tlv(0x30, b"".join(parts))


def read_der(data):
    """The first element: its content (a list for a SEQUENCE), and what follows it."""
    tag, size, at = data[0], data[1], 2
    if size & 0x80:
        count = size & 0x7F
        size, at = int.from_bytes(data[2:2 + count], "big"), 2 + count
    content, rest = data[at:at + size], data[at + size:]
    assert len(content) == size
    if tag != 0x30:
        return (int.from_bytes(content, "big") if tag == 0x02 else content), rest
    parts = []
    while content:
        part, content = read_der(content)
        parts.append(part)
    return parts, rest
