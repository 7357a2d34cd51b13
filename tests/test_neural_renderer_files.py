# SPDX-License-Identifier: MIT
"""OBJ files of the drop-in: cubes of texels from pictures and into pictures."""

import numpy as np
import pytest
import torch
from PIL import Image

import intaglio
import intaglio.neural_renderer.torch as nr
from intaglio.io import InputError

TRIANGLE = "v 0 0 0\nv 4 0 0\nv 0 2 1\n"


def write(folder, obj, mtl=None, **pictures):
    (folder / "mesh.obj").write_text(obj)
    if mtl is not None:
        (folder / "mesh.mtl").write_text(mtl)
    for name, pixels in pictures.items():
        Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(folder / f"{name}.png")
    return folder / "mesh.obj"


def textured(folder, uv, picture, options=""):
    """A triangle whose corners have these uv."""
    lines = "".join(f"vt {u} {v}\n" for u, v in uv)
    obj = f"mtllib mesh.mtl\n{TRIANGLE}{lines}usemtl skin\nf 1/1 2/2 3/3\n"
    return write(folder, obj, f"newmtl skin\nKd 1 0 0\nmap_Kd {options}picture.png\n", picture=picture)


def corners(textures):
    """The colours at the three corners of the first face, 0 to 255."""
    last = textures.shape[1] - 1
    texels = textures[0, [last, 0, 0], [0, last, 0], [0, 0, last]]
    return np.rint(texels.numpy() * 255).astype(int).tolist()


def numbered(height=4, width=4):
    """A picture that names its pixels: red counts columns from the left, green rows from the bottom."""
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[..., 0] = np.arange(width)
    picture[..., 1] = np.arange(height)[::-1, None]
    return picture


UNIT = [(0, 0), (1, 0), (1, 1)]


class TestLoad:
    def test_the_longest_side_spans_minus_1_to_1(self, tmp_path):
        path = write(tmp_path, TRIANGLE + "f 1 2 3\n")
        vertices, faces = nr.load_obj(path)
        assert vertices.tolist() == [[-1, -0.5, -0.25], [1, -0.5, -0.25], [-1, 0.5, 0.25]]
        assert faces.tolist() == [[0, 1, 2]]
        assert (vertices.dtype, faces.dtype) == (torch.float32, torch.int32)
        assert nr.load_obj(str(path), normalization=False)[0].tolist() == [[0, 0, 0], [4, 0, 0], [0, 2, 1]]

    def test_faces_have_the_colour_of_their_material_or_a_half(self, tmp_path):
        obj = f"mtllib mesh.mtl\n{TRIANGLE}f 1 2 3\nusemtl skin\nf 1 3 2\nusemtl lost\nf 2 1 3\n"
        path = write(tmp_path, obj, "newmtl skin\nKd 0.2 0.4 0.6\nnewmtl empty\n")
        _, _, textures = nr.load_obj(path, load_texture=True, texture_size=2)
        assert textures.shape == (3, 2, 2, 2, 3)
        assert textures[:, 1, 0, 1].tolist() == [[0.5] * 3, pytest.approx([0.2, 0.4, 0.6]), [0.5] * 3]

    def test_corners_look_at_the_pixels_of_their_uv_and_colours_stay_as_in_the_file(self, tmp_path):
        path = textured(tmp_path, [(0, 0), (1, 0), (0, 1)], numbered(5, 3))
        for texture_size in (2, 4):
            textures = nr.load_obj(path, load_texture=True, texture_size=texture_size)[2]
            assert corners(textures) == [[0, 0, 0], [2, 0, 0], [0, 4, 0]]

    def test_texels_between_blend_pixels_or_take_the_nearest(self, tmp_path):
        path = textured(tmp_path, [(0, 0), (1, 0), (0, 0)], numbered(2, 2) * 100)
        for use_bilinear, reds in ((True, [0, 33.3333, 66.6667, 100]), (False, [0, 0, 100, 100])):
            textures = nr.load_obj(path, True, 4, True, "REPEAT", use_bilinear)[2]
            line = textures[0, [3, 2, 1, 0], [0, 1, 2, 3], 0, 0] * 255
            np.testing.assert_allclose(line.numpy(), reds, atol=1e-3)

    @pytest.mark.parametrize("wrapping", ["REPEAT", "MIRRORED_REPEAT", "CLAMP_TO_EDGE"])
    def test_uv_inside_the_picture_is_never_wrapped(self, tmp_path, wrapping):
        path = textured(tmp_path, UNIT, numbered())
        textures = nr.load_obj(path, load_texture=True, texture_wrapping=wrapping)[2]
        assert corners(textures) == [[0, 0, 0], [3, 0, 0], [3, 3, 0]]

    def test_a_border_is_black_and_unknown_wrappings_are_named(self, tmp_path):
        path = textured(tmp_path, UNIT, numbered() + 50)
        assert nr.load_obj(path, load_texture=True, texture_wrapping="CLAMP_TO_BORDER")[2].abs().sum() == 0
        with pytest.raises(ValueError, match=r"texture_wrapping must be one of REPEAT, .*; got 'WRAP'"):
            nr.load_obj(path, load_texture=True, texture_wrapping="WRAP")

    def test_grey_pictures_and_pictures_with_alpha_become_rgb(self, tmp_path):
        for picture in (np.full((2, 2), 51), np.full((2, 2, 4), 51)):
            textures = nr.load_obj(textured(tmp_path, UNIT, picture), load_texture=True)[2]
            torch.testing.assert_close(textures, torch.full_like(textures, 0.2))

    def test_a_mesh_comes_from_a_file(self, tmp_path):
        path = textured(tmp_path, UNIT, numbered())
        mesh = nr.Mesh.fromobj(path, load_texture=True, texture_size=3)
        assert mesh.textures.shape == (1, 3, 3, 3, 3)
        assert mesh.texture_size == 3
        assert isinstance(nr.Mesh.from_obj(path).textures, torch.nn.Parameter)


class TestMendedLoading:
    def test_repeat_wrapping_does_not_change_uv_in_place(self, tmp_path):
        # Each texel used to wrap the face's shared uv again: 0 became 1 became 0.
        path = textured(tmp_path, UNIT, numbered())
        first = nr.load_obj(path, load_texture=True)[2]
        assert torch.equal(nr.load_obj(path, load_texture=True)[2], first)
        assert torch.equal(nr.load_obj(path, load_texture=True, texture_wrapping="CLAMP_TO_EDGE")[2], first)

    @pytest.mark.parametrize("move", [(1, 0), (-2, 3)])
    def test_a_repeated_picture_is_the_same_some_pictures_further(self, tmp_path, move):
        first = nr.load_obj(textured(tmp_path, UNIT, numbered()), load_texture=True)[2]
        moved = [(u + move[0], v + move[1]) for u, v in UNIT]
        other = nr.load_obj(textured(tmp_path, moved, numbered()), load_texture=True)[2]
        torch.testing.assert_close(other, first, atol=1e-5, rtol=0)

    def test_a_face_across_the_border_of_the_picture_goes_on_at_its_other_side(self, tmp_path):
        path = textured(tmp_path, [(0.5, 0), (1.5, 0), (0.5, 0)], numbered(2, 5))
        textures = nr.load_obj(path, load_texture=True, texture_size=5)[2]
        line = textures[0, [4, 3, 2, 1, 0], [0, 1, 2, 3, 4], 0, 0] * 255
        np.testing.assert_allclose(line.numpy(), [2, 3, 4, 1, 2], atol=1e-4)

    def test_a_texture_of_size_1_is_the_colour_in_the_middle(self, tmp_path):
        path = textured(tmp_path, [(0, 0), (1, 0), (0.5, 1)], numbered(4, 3))
        textures = nr.load_obj(path, load_texture=True, texture_size=1)[2]
        np.testing.assert_allclose(textures[0, 0, 0, 0].numpy() * 255, [1, 1, 0], atol=1e-5)

    def test_names_of_materials_and_pictures_may_hold_spaces_and_options(self, tmp_path):
        obj = f"mtllib my mesh.mtl\n{TRIANGLE}vt 0 0\nvt 1 0\nvt 1 1\nusemtl old skin\nf 1/1 2/2 3/3\n"
        (tmp_path / "my mesh.mtl").write_text(
            "newmtl old\nKd 0 0 0\nnewmtl old skin\nmap_Kd -clamp on -s 0.5 0.5 1 -o 0.5 0 0 my picture.png\n"
        )
        path = write(tmp_path, obj, **{"my picture": numbered(5, 5)})
        textures = nr.load_obj(path, load_texture=True)[2]
        assert corners(textures) == [[2, 0, 0], [4, 0, 0], [4, 2, 0]]

    def test_polygons_are_fans_and_negative_indices_count_back(self, tmp_path):
        path = write(tmp_path, "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf -4 -3 -2 -1\n")
        assert nr.load_obj(path)[1].tolist() == [[0, 1, 2], [0, 2, 3]]

    def test_a_file_may_have_several_materials_with_and_without_pictures(self, tmp_path):
        obj = f"mtllib mesh.mtl\n{TRIANGLE}vt 0 0\nvt 1 0\nvt 1 1\n" + "".join(
            f"usemtl {name}\nf 1/1 2/2 3/3\n" for name in ("plain", "first", "second", "plain")
        )
        mtl = "newmtl plain\nKd 1 0 1\nnewmtl first\nmap_Kd a.png\nnewmtl second\nKd 0 0 0\nmap_Kd b.png\n"
        path = write(tmp_path, obj, mtl, a=np.full((2, 2, 3), 102), b=np.full((9, 7, 3), 204))
        textures = nr.load_obj(path, load_texture=True)[2]
        assert textures[:, 1, 2, 3].tolist() == [pytest.approx(x) for x in ([1, 0, 1], [0.4] * 3, [0.8] * 3, [1, 0, 1])]

    def test_many_faces_with_many_texels_are_read_in_parts(self, tmp_path):
        faces = "".join(f"f 1/{k} 2/2 3/3\n" for k in (1, 2, 3) * 100)
        obj = f"mtllib mesh.mtl\n{TRIANGLE}vt 0 0\nvt 1 0\nvt 1 1\nusemtl skin\n{faces}"
        path = write(tmp_path, obj, "newmtl skin\nmap_Kd picture.png\n", picture=numbered())
        textures = nr.load_obj(path, load_texture=True, texture_size=12)[2]  # 518,400 texels
        assert torch.equal(textures, textures[:3].repeat(100, 1, 1, 1, 1))
        assert not torch.equal(textures[0], textures[1])

    def test_pictures_may_lie_in_a_folder_beside(self, tmp_path):
        (tmp_path / "models").mkdir()
        (tmp_path / "images").mkdir()
        path = textured(tmp_path / "models", UNIT, numbered(), options="../images/")
        (tmp_path / "models/picture.png").rename(tmp_path / "images/picture.png")
        assert corners(nr.load_obj(path, load_texture=True)[2]) == [[0, 0, 0], [3, 0, 0], [3, 3, 0]]

    def test_a_material_needs_no_uv(self, tmp_path):
        path = write(tmp_path, f"mtllib mesh.mtl\n{TRIANGLE}usemtl m\nf 1 2 3\n", "newmtl m\nKd 0 1 0\n")
        assert nr.load_obj(path, load_texture=True)[2][0, 0, 0, 0].tolist() == [0, 1, 0]

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(InputError, match=r"nowhere\.obj: there is no such file"):
            nr.load_obj(tmp_path / "nowhere.obj")
        with pytest.raises(ValueError, match="texture_size must be a whole number, 1 or more; got 0"):
            nr.load_obj(tmp_path / "nowhere.obj", texture_size=0)


def many_faces(count):
    """`count` faces of random colours that grow along axis 0."""
    rng = np.random.default_rng(0)
    vertices = torch.tensor(rng.normal(size=(count + 2, 3)), dtype=torch.float32)
    faces = torch.arange(count)[:, None] + torch.arange(3)
    colors = torch.tensor(rng.uniform(0.1, 0.9, (count, 1, 1, 1, 3)), dtype=torch.float32)
    return vertices, faces, colors.repeat(1, 2, 2, 2, 1)


class TestSave:
    def test_a_shape_comes_back(self, tmp_path):
        vertices, faces, _ = many_faces(5)
        nr.save_obj(tmp_path / "a.obj", vertices, faces)
        again = nr.load_obj(tmp_path / "a.obj", normalization=False)
        torch.testing.assert_close(again[0], vertices, atol=1e-8, rtol=1e-6)
        assert torch.equal(again[1], faces.int())
        assert sorted(x.name for x in tmp_path.iterdir()) == ["a.obj"]

    def test_three_files_are_written_as_the_original_names_them(self, tmp_path):
        vertices, faces, textures = many_faces(3)
        nr.save_obj(str(tmp_path / "a.obj"), vertices, faces, textures)
        assert sorted(x.name for x in tmp_path.iterdir()) == ["a.mtl", "a.obj", "a.png"]
        assert (tmp_path / "a.mtl").read_text() == "newmtl material_1\nmap_Kd a.png\n"
        lines = (tmp_path / "a.obj").read_text().splitlines()
        assert "mtllib a.mtl" in lines
        assert "usemtl material_1" in lines
        assert [line for line in lines if line.startswith("f ")] == ["f 1/1 2/2 3/3", "f 2/4 3/5 4/6", "f 3/7 4/8 5/9"]
        with Image.open(tmp_path / "a.png") as picture:
            assert picture.size == (32, 32)

    def test_a_tile_shows_its_corners_where_the_original_put_them(self, tmp_path):
        # Face 0 lies in the lower left tile: corner 0 at its lower left, 1 at its upper left, 2 at its upper right.
        vertices, faces, textures = many_faces(1)
        textures[0, 1, 0, 0], textures[0, 0, 1, 0], textures[0, 0, 0, 1] = torch.eye(3)
        nr.save_obj(tmp_path / "a.obj", vertices, faces, textures)
        with Image.open(tmp_path / "a.png") as picture:
            pixels = np.asarray(picture)
        assert pixels.shape == (16, 16, 3)
        corner_pixels = [pixels[15, 0], pixels[0, 0], pixels[0, 15]]
        assert [x.tolist() for x in corner_pixels] == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
        uv = [line for line in (tmp_path / "a.obj").read_text().splitlines() if line.startswith("vt")]
        assert uv == ["vt 0.00000000 0.00000000", "vt 0.00000000 1.00000000", "vt 1.00000000 1.00000000"]

    @pytest.mark.parametrize("count", [2, 5, 10, 17])
    def test_rows_of_tiles_are_whole(self, tmp_path, count):
        # Rows used to be f / width, a fraction: every face but the first of a row came back in foreign colours.
        vertices, faces, textures = many_faces(count)
        nr.save_obj(tmp_path / "a.obj", vertices, faces, textures)
        again = nr.load_obj(tmp_path / "a.obj", load_texture=True, texture_size=2)[2]
        at_corners = (slice(None), [1, 0, 0], [0, 1, 0], [0, 0, 1])
        # Half a step of 8 bits, and what leaks in from 1e-5 beside a pixel.
        np.testing.assert_allclose(again[at_corners], textures[at_corners], atol=0.6 / 255)

    def test_pictures_have_8_bits(self, tmp_path):
        # Pictures of floats are refused by today's writers.
        vertices, faces, textures = many_faces(4)
        nr.save_obj(tmp_path / "a.obj", vertices, faces, textures.requires_grad_() * 2)
        with Image.open(tmp_path / "a.png") as picture:
            assert picture.mode == "RGB"

    def test_intaglio_reads_what_it_writes(self, tmp_path):
        vertices, faces, textures = many_faces(4)
        nr.save_obj(tmp_path / "a.obj", vertices, faces, textures)
        assert intaglio.load_obj(tmp_path / "a.obj").texture.shape == (32, 32, 3)

    def test_wrong_arguments_are_named(self, tmp_path):
        vertices, faces, textures = many_faces(4)
        with pytest.raises(ValueError, match=r"save_obj: filename must end in \.obj; got 'a\.ply'"):
            nr.save_obj(tmp_path / "a.ply", vertices, faces)
        with pytest.raises(ValueError, match=r"save_obj: vertices must be \[N, 3\]; got \[1, 6, 3\] \(one mesh"):
            nr.save_obj(tmp_path / "a.obj", vertices[None], faces)
        with pytest.raises(ValueError, match=r"save_obj: textures must be \[4, T, T, T, 3\]; got \[3, 2, 2, 2, 3\]"):
            nr.save_obj(tmp_path / "a.obj", vertices, faces, textures[:3])
