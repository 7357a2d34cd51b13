# SPDX-License-Identifier: MIT
"""The picture of the README: moments of the four programs, from what `make demo` has put into ./demo."""

from pathlib import Path

from PIL import Image

ROWS = {  # which moments of each animation, as shares of its length
    "draw.gif": (0.0, 0.11, 0.22, 0.33, 0.44, 0.55),
    "shape.gif": (0.0, 0.08, 0.16, 0.3, 0.5, 1.0),
    "texture-result.gif": (0.0, 0.17, 0.34, 0.51, 0.68, 0.85),
    "camera.gif": (0.0, 0.2, 0.35, 0.5, 0.7, 1.0),
}
CROP = (0, 20, 256, 236)  # of 256 x 256: left, top, right, bottom
SIZE = (156, 132)


def main() -> None:
    sheet = Image.new("RGB", (SIZE[0] * 6, SIZE[1] * len(ROWS)))
    for row, (name, moments) in enumerate(ROWS.items()):
        with Image.open(Path("demo") / name) as animation:
            for column, moment in enumerate(moments):
                animation.seek(round(moment * (animation.n_frames - 1)))
                frame = animation.convert("RGB").crop(CROP).resize(SIZE, Image.Resampling.LANCZOS)
                sheet.paste(frame, (SIZE[0] * column, SIZE[1] * row))
    output = Path(__file__).parent / "pictures" / "programs.png"
    output.parent.mkdir(exist_ok=True)
    sheet.quantize(128).save(output, optimize=True)
    print(output)


if __name__ == "__main__":
    main()
