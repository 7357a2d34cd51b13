# SPDX-License-Identifier: MIT
"""Files that are almost right: bytes, words and JSON values changed at random."""

import copy
import json
import random
import re
import struct

__all__ = ["generator", "mutated"]

NUMBERS = ["0", "-1", "1", "2", "3", "255", "65536", "2147483648", "4294967295", "99999999999999999999", "1e39",
           "-1e39", "1e-46", "1e400", "nan", "inf", "-0", "0.5", "1_0", "0x10", "٣", ""]  # fmt: skip
VALUES = [None, True, False, 0, -1, 1, 2, 3, 64, 255, 65535, 2**31, 2**32, 2**53, 2**63, 10**400, 0.5, -0.0, 1e39,
          1e308, "", "a", "..", "data:,", "data:;base64,AAAA", "\0", "SCALAR", "VEC3", "MAT4", [], [0], [0, 0],
          [1e39] * 3, [[]], {}, {"a": 0}, 5120, 5121, 5123, 5125, 5126]  # fmt: skip
INTEGERS = [0, 1, 2, 3, 4, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1]
WORD = re.compile(rb"[^\s,:\[\]{}\"/]+")


def mutated(seed, others, rng):
    """`seed` with one to four changes; `others` may lend pieces. JSON, in a GLB too, changes in its values."""
    data = seed
    if rng.random() < 0.5:
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
    """JSON, alone or in a GLB, with some values changed; anything else as it is."""
    rest = b""
    text = data
    if data[:4] == b"glTF" and len(data) >= 20:
        size = struct.unpack_from("<I", data, 12)[0]
        text, rest = data[20 : 20 + size], data[20 + size :]
    elif data[:1] != b"{":
        return data
    try:
        root = _changed(json.loads(text), rng)
        text = json.dumps(root).encode()
    except (ValueError, RecursionError):
        return data
    if not rest and data[:4] != b"glTF":
        return text
    text += b" " * (-len(text) % 4)
    return b"glTF" + struct.pack("<IIII", 2, 20 + len(text) + len(rest), len(text), 0x4E4F534A) + text + rest


def _changed(root, rng):
    root = copy.deepcopy(root)
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(_places(root))
        if not places:
            return root
        holder, key = rng.choice(places)
        kind = rng.random()
        if kind < 0.15:
            del holder[key]
        elif kind < 0.3:
            holder[key] = copy.deepcopy(rng.choice(places)[0])
        elif kind < 0.45 and isinstance(holder[key], int | float):
            holder[key] += rng.choice((-1, 1, 4, 1000))
        else:
            holder[key] = rng.choice(VALUES)
    return root


def _places(value):
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def generator(seed, number):
    """The same for the same input, whatever ran before."""
    return random.Random(f"{seed} {number}")
