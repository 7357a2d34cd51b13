# SPDX-License-Identifier: MIT
"""Files that are almost right: bytes, words and JSON values changed at random."""

import base64
import copy
import json
import random
import re
import struct

__all__ = ["generator", "mutated"]

NUMBERS = ["0", "-1", "1", "2", "3", "255", "65536", "2147483648", "4294967295", "99999999999999999999", "1e39",
           "-1e39", "1e-46", "1e400", "nan", "inf", "-0", "0.5", "1_0", "0x10", "٣", ""]  # fmt: skip
VALUES = [None, True, False, 0, -1, 1, 2, 3, 64, 255, 65535, 2**31, 2**32, 2**53, 2**63, 10**400, 0.5, -0.0, 1e39,
          1e308, "", "a", "..", "p.png", "../p.png", "%2e%2e/p.png", "file:///p.png", "C:\\p.png", "/p.png", "data:,",
          "data:;base64,AAAA", "\0", "\ud800", "SCALAR", "VEC3", "MAT4", [], [0], [0, 0],
          [1e39] * 3, [[]], {}, {"a": 0}, 5120, 5121, 5123, 5125, 5126]  # fmt: skip
INTEGERS = [0, 1, 2, 3, 4, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1]
WORD = re.compile(rb"[^\s,:\[\]{}\"/]+")


def mutated(seed, others, rng):
    """`seed` with one to four changes; `others` may lend pieces. JSON, in a GLB too, changes in its values."""
    data = seed
    if rng.random() < 0.7:
        data = _with_other_values(data, rng)
    if data is seed or rng.random() < 0.2:
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            data = rng.choice(CHANGES)(data, others, rng)
    return data


def _flip(data, others, rng):
    return _put(data, rng.randrange(len(data)), bytes([1 << rng.randrange(8)]), rng) if data else data


def _put(data, place, mask, rng):
    return data[:place] + bytes([data[place] ^ mask[0]]) + data[place + 1 :]


def _overwrite(data, others, rng):
    form = rng.choice(("<B", "<H", "<I", ">H", ">I", "<f", ">f", "<Q"))
    value = rng.choice(INTEGERS) if form[1] != "f" else rng.choice((0.0, 1e38, float("nan"), float("inf"), -1.0))
    piece = struct.pack(form, value if form[1] == "f" else value % (1 << 8 * struct.calcsize(form)))
    place = rng.randrange(len(data) + 1)
    return data[:place] + piece + data[place + len(piece) :]


def _cut(data, others, rng):
    start = rng.randrange(len(data) + 1)
    return data[:start] if rng.random() < 0.3 else data[:start] + data[start + rng.randint(1, 40) :]


def _repeat(data, others, rng):
    start = rng.randrange(len(data) + 1)
    piece = data[start : start + rng.randint(1, 60)]
    place = rng.randrange(len(data) + 1)
    return data[:place] + piece * rng.choice((1, 1, 3, 50)) + data[place:]


def _splice(data, others, rng):
    other = rng.choice(others)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _word(data, others, rng):
    words = list(WORD.finditer(data[: 1 << 14]))
    if not words:
        return data
    found = rng.choice(words)
    new = rng.choice(NUMBERS).encode() if rng.random() < 0.7 else rng.choice(words).group()
    return data[: found.start()] + new + data[found.end() :]


def _line(data, others, rng):
    lines = data.split(b"\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = (lines[b], lines[a]) if rng.random() < 0.5 else (lines[b], lines[b])
    return b"\n".join(lines)


CHANGES = (_flip, _overwrite, _cut, _repeat, _splice, _word, _word, _line)


def _with_other_values(data, rng):
    """JSON, alone or in a GLB, with some values changed, there at times numbers of the binary chunk; else as it is."""
    is_glb = data[:4] == b"glTF" and len(data) >= 20
    text, rest = data, b""
    if is_glb:
        size = struct.unpack_from("<I", data, 12)[0]
        text, rest = data[20 : 20 + size], data[20 + size :]
        if rng.random() < 0.3 and len(rest) > 8:  # the head of the chunk stays
            rest = rest[:8] + _overwritten_within(rest[8:], rng)
            if rng.random() < 0.5:
                return data[:20] + text + rest
    elif data[:1] != b"{":
        return data
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):
        return data
    _change_values(root, rng)
    text = json.dumps(root).encode()
    if not is_glb:
        return text
    text += b" " * (-len(text) % 4)
    return b"glTF" + struct.pack("<IIII", 2, 20 + len(text) + len(rest), len(text), 0x4E4F534A) + text + rest


def _overwritten_within(data, rng):
    for _ in range(rng.choice((1, 1, 2, 8))):
        data = _overwrite(data, (), rng)[: len(data)]
    return data


def _change_values(root, rng):
    places = list(_places(root))
    for _ in range(rng.choice((1, 1, 2, 3))):
        holder, key = rng.choice(places)
        if (key in holder) if isinstance(holder, dict) else key < len(holder):  # an earlier change may have taken it
            rng.choice(VALUE_CHANGES)(holder, key, places, rng)


def _delete(holder, key, places, rng):
    del holder[key]


def _exchange(holder, key, places, rng):
    """Another value of the file, whatever its type."""
    other, at = rng.choice(places)
    try:
        holder[key] = copy.deepcopy(other[at])
    except LookupError:  # taken away before
        holder[key] = copy.deepcopy(other)


def _put_value(holder, key, places, rng):
    holder[key] = copy.deepcopy(rng.choice(VALUES))


def _count_on(holder, key, places, rng):
    """Numbers near the one that is there; of texts and lists one like it."""
    value = holder[key]
    if isinstance(value, bool):
        holder[key] = not value
    elif isinstance(value, int | float):
        holder[key] = value + rng.choice((1, -1, 4, 1000, value, -2 * value, -value))
    elif isinstance(value, str) and ";base64," in value:
        head, _, body = value.partition(",")
        holder[key] = f"{head},{base64.b64encode(_overwritten_within(base64.b64decode(body), rng)).decode()}"
    elif isinstance(value, list) and value:
        value.insert(rng.randrange(len(value) + 1), copy.deepcopy(rng.choice(value)))
    else:
        _put_value(holder, key, places, rng)


def _as_other_type(holder, key, places, rng):
    value = holder[key]
    if isinstance(value, int | float | str) and rng.random() < 0.5:
        holder[key] = str(value) if not isinstance(value, str) else len(value)
    else:
        holder[key] = rng.choice(([value], {"a": value}, [value, value], [[value]]))


def _nest(holder, key, places, rng):
    for _ in range(rng.choice((1, 5, 70))):
        holder[key] = [holder[key]]


def _rename(holder, key, places, rng):
    """The same value under a key of another place."""
    keys = [other for _, other in places if isinstance(other, str)]
    if isinstance(holder, dict) and keys:
        holder[rng.choice(keys)] = holder[key] if rng.random() < 0.5 else holder.pop(key)
    else:
        _exchange(holder, key, places, rng)


VALUE_CHANGES = (_delete, _exchange, _exchange, _put_value, _put_value, _count_on, _count_on, _count_on, _as_other_type,
                 _nest, _rename)  # fmt: skip


def _places(value):
    """(holder, key) of all values within."""
    found, ahead = [], [value]
    while ahead:
        holder = ahead.pop()
        for key, inner in holder.items() if isinstance(holder, dict) else enumerate(holder):
            found.append((holder, key))
            if isinstance(inner, dict | list):
                ahead.append(inner)
    return found


def generator(seed, number):
    """The same for the same input, whatever ran before."""
    return random.Random(f"{seed} {number}")
