# SPDX-License-Identifier: MIT
"""Moving pictures out, in the format that the file's ending says: .gif, .webp, .mp4, or numbered .png files.

Frames are coded on a thread of their own while the next ones are being made.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import Any

import numpy as np

from ..picture import srgb_bytes
from .atomic import write_atomically
from .errors import InputError
from .gif import gif_parts

__all__ = ["Animation", "check_animation_path", "save_animation"]

FRAMES_PER_SECOND = 25  # 1/100 s is what GIF counts in: 25 is exact, 30 is not
MAX_WAITING = 16  # frames that wait to be coded; then `add` waits
END = None


class _Abandoned(Exception):
    """Makes a writer leave nothing behind."""


class Animation:
    """A file that frames are added to; it appears, whole, when the `with` block ends, and not if that raises.

    Args:
        path: ends in .gif or .webp (both repeat forever), .mp4 (needs imageio-ffmpeg), or .png: frame 7 of "a.png" is
            "a-0007.png", written at once; a single frame keeps the name.

    Raises:
        InputError: another ending, or a file that cannot be written.

    Example:
        >>> with Animation("fade.gif") as animation:
        ...     for grey in np.linspace(0, 1, 50):
        ...         animation.add(np.full((64, 64, 3), grey))
    """

    def __init__(self, path: str | Path, *, frames_per_second: int = FRAMES_PER_SECOND) -> None:
        check_animation_path(path)
        self.path = Path(path)
        self.frames_per_second = frames_per_second
        self.shape: tuple[int, ...] | None = None
        self._frames: Queue[Any] = Queue(MAX_WAITING)
        self._failure: BaseException | None = None
        self._has_ended = self._is_abandoned = False
        self._thread = threading.Thread(target=self._write, name="animation", daemon=True)

    def add(self, image: Any) -> None:
        """Show `image` next: [H, W, 3], linear, any framework, of one size. It must not be changed afterwards.

        Raises:
            ValueError: the shape is wrong.
            InputError: the file cannot be written.
        """
        shape = tuple(image.shape)
        if len(shape) != 3 or shape[-1] != 3 or 0 in shape or shape != (self.shape or shape):
            wanted = "[H, W, 3]" if self.shape is None else f"{list(self.shape)} as before"
            raise ValueError(f"Animation.add: image must be {wanted}; got {list(shape)}")
        if self.shape is None:
            self.shape = shape
            self._thread.start()
        if self._failure is not None:
            raise self._failure
        self._frames.put(image)

    def __enter__(self) -> Animation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_abandoned = kind is not None
        if self.shape is None:
            if not self._is_abandoned:
                raise ValueError("Animation: there must be at least one frame; got none")
            return
        self._frames.put(END)
        self._thread.join()
        if self._failure is not None and not self._is_abandoned:
            raise self._failure

    def _write(self) -> None:
        try:
            WRITERS[self.path.suffix.lower()](self.path, self._arrivals(), self.frames_per_second)
        except BaseException as failure:  # raised anew where frames are added
            self._failure = failure
            while not self._has_ended:
                self._has_ended = self._frames.get() is END

    def _arrivals(self) -> Iterator[np.ndarray]:
        """[H, W, 3] bytes, as they come."""
        while (image := self._frames.get()) is not END:
            yield srgb_bytes(image, "save_animation")
        self._has_ended = True
        if self._is_abandoned:
            raise _Abandoned


def save_animation(path: str | Path, frames: Iterable[Any], *, frames_per_second: int = FRAMES_PER_SECOND) -> None:
    """Write pictures [H, W, 3], linear, any framework, as an animation; whole or not at all. See `Animation`.

    Example:
        >>> save_animation("fade.gif", (np.full((64, 64, 3), grey) for grey in np.linspace(0, 1, 50)))
    """
    with Animation(path, frames_per_second=frames_per_second) as animation:
        for frame in frames:
            animation.add(frame)


def check_animation_path(path: str | Path) -> None:
    """Raise InputError unless an animation could be called `path`."""
    ending = Path(path).suffix.lower()
    if ending not in WRITERS:
        raise InputError(path, "is no animation's name", remedy=f"end it in {', '.join(WRITERS)}")
    if ending == ".mp4":
        _ffmpeg(path)


def _write_gif(path: Path, frames: Iterator[np.ndarray], frames_per_second: int) -> None:
    def write(aside: Path) -> None:
        with aside.open("wb") as file:
            file.writelines(gif_parts(frames, frames_per_second))

    write_atomically(path, write)


def _write_webp(path: Path, frames: Iterator[np.ndarray], frames_per_second: int) -> None:
    from PIL import Image

    pictures = map(Image.fromarray, frames)
    options: dict[str, Any] = {"duration": round(1000 / frames_per_second), "loop": 0, "quality": 90, "method": 0}
    write_atomically(
        path, lambda aside: next(pictures).save(aside, "WEBP", save_all=True, append_images=pictures, **options)
    )


def _write_mp4(path: Path, frames: Iterator[np.ndarray], frames_per_second: int) -> None:
    ffmpeg = _ffmpeg(path)

    def write(aside: Path) -> None:
        writer = None
        try:
            for frame in frames:
                # Colours are stored at half the size in both directions: an odd row or column is shown twice.
                height, width, _ = frame.shape
                even = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
                if writer is None:
                    size = (even.shape[1], even.shape[0])
                    writer = ffmpeg.write_frames(str(aside), size, fps=frames_per_second, quality=8, macro_block_size=2)
                    writer.send(None)
                writer.send(np.ascontiguousarray(even))
        finally:
            if writer is not None:
                writer.close()

    write_atomically(path, write)


def _write_pngs(path: Path, frames: Iterator[np.ndarray], frames_per_second: int) -> None:
    first = next(frames)
    second = next(frames, None)
    if second is None:
        return _write_png(path, first)
    _write_png(_numbered(path, 0), first)
    _write_png(_numbered(path, 1), second)
    for number, frame in enumerate(frames, start=2):
        _write_png(_numbered(path, number), frame)
    return None


def _write_png(path: Path, frame: np.ndarray) -> None:
    from PIL import Image

    write_atomically(path, lambda aside: Image.fromarray(frame).save(aside, "PNG"))


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number:04}{path.suffix}")


def _ffmpeg(path: str | Path) -> Any:
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise InputError(
            path, "needs imageio-ffmpeg, which is not there", remedy="pip install 'intaglio[video]'"
        ) from error
    return imageio_ffmpeg


WRITERS: dict[str, Callable[[Path, Iterator[np.ndarray], int], None]] = {
    ".gif": _write_gif,
    ".webp": _write_webp,
    ".png": _write_pngs,
    ".mp4": _write_mp4,
}
