# SPDX-License-Identifier: MIT
"""Files that hold light of any strength: Radiance's .hdr in all its ways, and float maps."""

import itertools
import re

import numpy as np
import pytest

from intaglio import InputError, load_image, save_image

HEAD = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n"
ONE = b"\x80\x80\x80\x81"  # 128 / 256 times 2^(129 - 128)
RNG = np.random.default_rng(0)


def read(path, data):
    path.write_bytes(data)
    return load_image(path)


def test_mantissas_are_shares_of_a_power_of_two(tmp_path):
    pixels = ONE + b"\xff\x40\0\x80" + b"\x80\x80\x80\0" + b"\1\2\3\x01"
    image = read(tmp_path / "a.hdr", HEAD + b"-Y 2 +X 2\n" + pixels)
    assert image.dtype == np.float32
    expected = [[[1, 1, 1], [255 / 256, 0.25, 0]], [[0, 0, 0], list(np.array([1, 2, 3]) * 2.0**-135)]]
    assert (image == np.float32(expected)).all()


@pytest.mark.parametrize("order", list(itertools.product("-+", "XY", "-+")), ids="".join)
def test_rows_run_down_and_columns_to_the_right_whatever_their_order(tmp_path, order):
    first, slow, second = order
    fast = "Y" if slow == "X" else "X"
    size = {"X": 3, "Y": 2}
    shown = np.arange(6).reshape(2, 3)  # [Y from the top, X from the left]
    lines = shown if slow == "Y" else shown.T
    lines = lines[::-1] if first != ("-" if slow == "Y" else "+") else lines
    lines = lines[:, ::-1] if second != ("-" if fast == "Y" else "+") else lines
    pixels = b"".join(bytes((128 + int(k), 0, 0, 136)) for k in lines.reshape(-1))
    image = read(
        tmp_path / "a.hdr", HEAD + f"{first}{slow} {size[slow]} {second}{fast} {size[fast]}\n".encode() + pixels
    )
    assert (image[..., 0] - 128 == shown).all()


def test_new_runs_of_each_byte(tmp_path):
    red = b"\x88\x80"  # 8 times 128
    green = b"\x03\1\2\3\x85\x04"  # 1 2 3, 5 times 4
    blue = b"\x08" + bytes(range(8))
    image = read(tmp_path / "a.hdr", HEAD + b"-Y 1 +X 8\n" + b"\2\2\0\x08" + red + green + blue + b"\x88\x88")
    expected = np.stack([[128] * 8, [1, 2, 3, 4, 4, 4, 4, 4], range(8)], axis=-1)
    assert (image[0] == expected).all()


def test_old_runs_of_pixels(tmp_path):
    # A pixel 1, 1, 1, n repeats the one before; the second in a row counts in 256s.
    data = ONE + b"\1\1\1\2" + b"\x40\0\0\x81" + b"\1\1\1\3\1\1\1\1"
    image = read(tmp_path / "a.hdr", HEAD + b"-Y 1 +X 263\n" + data)
    assert (image[0, :3] == 1).all()
    assert (image[0, 3:] == [0.5, 0, 0]).all()


def test_what_exposure_and_colour_correction_did_is_undone(tmp_path):
    head = b"#?RADIANCE\nEXPOSURE=2\n# by hand\nEXPOSURE = 4.0\nCOLORCORR= 1 0.5 0.25\nSOFTWARE=none\n\n"
    head = head.replace(b"EXPOSURE =", b"EXPOSURE=")
    assert read(tmp_path / "a.hdr", head + b"-Y 1 +X 1\n" + ONE).tolist() == [[[1 / 8, 1 / 4, 1 / 2]]]


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (5, 8), (4, 300), (2, 127), (3, 129)])
def test_light_is_written_to_the_nearest(tmp_path, size):
    image = (RNG.uniform(size=(*size, 3)) ** 3 * np.exp(3 * RNG.normal(size=(*size, 1)))).astype(np.float32)
    image[0, : size[1] // 2] = 0.3  # runs
    image[-1, -1] = 0
    save_image(tmp_path / "a.hdr", image)
    back = load_image(tmp_path / "a.hdr")
    # Half a step of mantissas whose largest is 127.75 at least; and the float's own rounding.
    assert (np.abs(back - image) <= image.max(axis=-1, keepdims=True) * (0.5 / 127.75 + 1e-6)).all()
    save_image(tmp_path / "b.hdr", back)
    assert (tmp_path / "b.hdr").read_bytes() == (tmp_path / "a.hdr").read_bytes()


def test_light_beyond_what_the_file_can_hold_is_cut_off(tmp_path):
    brightest = 255 * 2.0**119
    image = np.array([[[3e38, 0, 1], [-1, 2, 4], [255.6, 128.4, 0], [1e-39, 0, 0]]])
    save_image(tmp_path / "a.hdr", image)
    assert load_image(tmp_path / "a.hdr").tolist() == [[[brightest, 0, 0], [0, 2, 4], [256, 128, 0], [0, 0, 0]]]


def test_equal_bytes_become_runs(tmp_path):
    save_image(tmp_path / "a.hdr", np.full((64, 1024, 3), 0.7))
    # 9 runs of 2 bytes for each of 4 channels, and 4 bytes in front of each scanline.
    assert (tmp_path / "a.hdr").stat().st_size < 100 + 64 * (4 + 4 * 9 * 2)


def test_float_maps_keep_every_bit(tmp_path):
    image = RNG.normal(size=(4, 5, 3)).astype(np.float32)
    save_image(tmp_path / "a.pfm", image)
    assert (load_image(tmp_path / "a.pfm") == image).all()
    rows = np.array([[3, 4], [1, 2]], ">f4")  # the lowest first
    assert read(tmp_path / "b.pfm", b"Pf\n2 2\n1.0\n" + rows.tobytes())[..., 1].tolist() == [[1, 2], [3, 4]]


def test_lines_of_a_float_map_may_end_as_on_windows(tmp_path):
    image = read(tmp_path / "a.pfm", b"PF\r\n1 1\r\n-1.0\r\n" + np.array([1, 2, 3], "<f4").tobytes())
    assert image.tolist() == [[[1, 2, 3]]]


def test_the_bytes_tell_the_kind_and_greys_are_written(tmp_path):
    save_image(tmp_path / "a.hdr", np.full((2, 2), 4.0))
    assert read(tmp_path / "a.png", (tmp_path / "a.hdr").read_bytes()).tolist() == np.full((2, 2, 3), 4.0).tolist()


LINE = b"-Y 1 +X 8\n\2\2\0\x08"
REMEDY = "was it copied completely?"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n", f": its header has no end ({REMEDY})"),
        (b"#?RADIANCE" + b"x" * 100_000, f": its header has no end ({REMEDY})"),
        (
            b"#?RADIANCE\nFORMAT=32-bit_rle_xyze\n\n",
            ":2: holds pixels of the format 32-bit_rle_xyze (convert it to RGBE)",
        ),
        (
            b"#?RADIANCE\nEXPOSURE=nan\n\n",
            ":2: must have a number above 0 here; got 'nan' (delete the line)",
        ),
        (
            b"#?RADIANCE\nCOLORCORR=1 1\n\n",
            ":2: must have 3 numbers above 0 here; got '1 1' (delete the line)",
        ),
        (
            b"#?RADIANCE\nEXPOSURE=1e-300\nEXPOSURE=1e-300\n\n-Y 1 +X 1\n" + ONE,
            ": its EXPOSURE leaves no light (delete the line)",
        ),
        (
            b"#?RADIANCE\nEXPOSURE=1e-30\n\n-Y 1 +X 1\n\x80\x80\x80\xff",
            ": its light is too bright for 32-bit numbers (is its EXPOSURE right?)",
        ),
        (HEAD + b"-Y 1 +Y 1\n", ":4: its size must be told below the header (such as -Y 512 +X 1024)"),
        (HEAD + b"-Y -1 +X 1\n", ":4: its size must be told below the header (such as -Y 512 +X 1024)"),
        (HEAD + b"-Y 0 +X 1\n", ":4: is a picture of 0 x 1 pixels"),
        (HEAD + b"-Y 99999999 +X 99999999\n", ": is too large a picture (134217728 pixels at most)"),
        (
            HEAD + b"-Y 8192 +X 16384\n" + ONE + b"\1\1\1\xff" * 3 + b"\1\1\1\7",
            ": unpacks to too many bytes (100 for each of its own at most, beyond the first 64 MiB)",
        ),
        (HEAD + b"-Y 1 +X 2\n" + ONE + b"\0\0\0", f": ends before its last pixel ({REMEDY})"),
        (HEAD + b"-Y 1 +X 2\n", f": ends before its last pixel ({REMEDY})"),
        (HEAD + b"-Y 1 +X 2\n\1\1\1\2", f": begins with a run of no pixel ({REMEDY})"),
        (HEAD + b"-Y 1 +X 4\n" + ONE + b"\1\1\1\2", f": ends before its last pixel ({REMEDY})"),
        (HEAD + b"-Y 1 +X 2\n" + ONE + b"\1\1\1\2", f": has a run that is longer than the picture ({REMEDY})"),
        (HEAD + b"-Y 1 +X 2\n" + ONE + b"\1\1\1\0" * 9, f": ends before its last pixel ({REMEDY})"),
        (HEAD + b"-Y 1 +X 8\n\2\2\0\x09" + b"\x88\1" * 4, f": scanline 0 is damaged ({REMEDY})"),
        (HEAD + LINE + b"\x88\1" * 3, f": ends before its last scanline ({REMEDY})"),
        (HEAD + LINE + b"\x88\1" * 3 + b"\x88", f": ends before its last scanline ({REMEDY})"),
        (HEAD + LINE + b"\x88\1" * 3 + b"\x08abc", f": ends before its last scanline ({REMEDY})"),
        (HEAD + LINE + b"\x89\1" * 4, f": scanline 0 is damaged: a run of 9 ({REMEDY})"),
        (HEAD + LINE + b"\0" * 40, f": scanline 0 is damaged: a run of 0 ({REMEDY})"),
        (HEAD + b"-Y 2 +X 8\n\2\2\0\x08" + b"\x88\1" * 4, f": ends before its last scanline ({REMEDY})"),
        (HEAD + b"-Y 2 +X 8\n\2\2\0\x08" + b"\x88\1" * 4 + b"\2\2\0\7" * 9, f": scanline 1 is damaged ({REMEDY})"),
        (b"PF\n2 x\n", ": has no header of a float map (such as PF 512 256 -1.0)"),
        (b"PF\n2 2\n0.0\n" + bytes(48), ": has no header of a float map (such as PF 512 256 -1.0)"),
        (b"PF\n2 2\n1e999\n" + bytes(48), ": has no header of a float map (such as PF 512 256 -1.0)"),
        (b"PF\n2 2\n1-1\n" + bytes(48), ": has no header of a float map (such as PF 512 256 -1.0)"),
        (b"PF\n99999 99999\n-1\n", ": is too large a picture (134217728 pixels at most)"),
        (b"PF\n2 2\n-1\n" + bytes(47), f": ends before its last pixel ({REMEDY})"),
        (b"Pf\n1 1\n-1\n\0\0\xc0\x7f", ": holds numbers that are not finite (a picture's light must be)"),
    ],
)
def test_damaged_light_is_named(tmp_path, data, message):
    path = tmp_path / "a.hdr"
    with pytest.raises(InputError, match=f"^{re.escape(f'{path}{message}')}$"):
        read(path, data)


def test_what_holds_light_has_no_alpha(tmp_path):
    message = (
        "save_image: image must be [H, W] or [H, W, 3] for light; got [2, 2, 4] (light has no alpha: image[..., :3])"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        save_image(tmp_path / "a.hdr", np.zeros((2, 2, 4)))


@pytest.mark.parametrize("ending", ["hdr", "pfm"])
def test_light_beyond_32_bits_is_named(tmp_path, ending):
    with pytest.raises(ValueError, match=r"^save_image: image must be finite in 32 bits; got 1e\+39$"):
        save_image(tmp_path / f"a.{ending}", np.full((2, 2, 3), -1e39))
    assert not list(tmp_path.iterdir())
