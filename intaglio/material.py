# SPDX-License-Identifier: MIT
"""Materials: how a surface turns the light that falls on it towards the camera.

A mesh without a material is matt (Lambert). What `texture`, `vertex_colors` and `face_textures` say of a mesh is its
base colour, whatever the material; all maps of a material are seen through the same uv. Colours are [3], or [B, 3] with
one for each image of a batch, and linear; numbers may be arrays [] or [B]; maps are [H, W, C] or [B, H, W, C], each of
its own size. All are differentiable. Of alpha see `render`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from .array import as_float_array, framework, namespace, to_numpy
from .trees import tree_of_fields

__all__ = ["AnyMaterial", "BlinnPhong", "Material", "Unlit", "is_white", "normal_mapped"]

ALPHA_MODES = ("opaque", "mask", "blend")
WHITE = (1.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Painted:
    """What all materials have: a colour, alpha, and arrays that move between frameworks; shapes are checked."""

    base_color: Any = WHITE
    alpha_mode: str = "opaque"
    alpha_cutoff: float = 0.5

    COLORS: ClassVar[dict[str, tuple[int, ...]]] = {"base_color": (3, 4)}  # the lengths that each may have
    NUMBERS: ClassVar[tuple[str, ...]] = ()
    MAPS: ClassVar[dict[str, int]] = {}  # with their channels

    def __post_init__(self) -> None:
        kind = type(self).__name__
        for name, lengths in self.COLORS.items():
            shape = tuple(as_float_array(getattr(self, name)).shape)
            if len(shape) not in (1, 2) or shape[-1] not in lengths:
                spelled = " or ".join(f"[{n}] or [B, {n}]" for n in lengths)
                raise ValueError(f"{kind}: {name} must be {spelled}; got {list(shape)}")
        for name in self.NUMBERS:
            shape = tuple(as_float_array(getattr(self, name)).shape)
            if len(shape) > 1:
                raise ValueError(f"{kind}: {name} must be a number or [B]; got {list(shape)}")
        for name, channels in self.MAPS.items():
            x = getattr(self, name)
            shape = tuple(x.shape) if x is not None else (1, 1, channels)
            if len(shape) not in (3, 4) or shape[-1] != channels or 0 in shape:
                raise ValueError(
                    f"{kind}: {name} must be [H, W, {channels}] or [B, H, W, {channels}]; got {list(shape)}"
                )
        if self.alpha_mode not in ALPHA_MODES:
            modes = ", ".join(map(repr, ALPHA_MODES))
            raise ValueError(f"{kind}: alpha_mode must be one of {modes}; got {self.alpha_mode!r}")

    def arrays(self) -> dict[str, Any]:
        """What may belong to a framework, by name."""
        return {name: getattr(self, name) for name in (*self.COLORS, *self.NUMBERS, *self.MAPS)}

    def batches(self) -> dict[str, Any]:
        """What has an axis for images, by name."""
        axes = {**dict.fromkeys(self.COLORS, 2), **dict.fromkeys(self.NUMBERS, 1), **dict.fromkeys(self.MAPS, 4)}
        return {name: x for name, x in self.arrays().items() if x is not None and as_float_array(x).ndim == axes[name]}

    def to(self, name: str, device: Any = None) -> Any:
        """The material with its arrays in the framework called `name`; as of `Mesh.to`. Plain numbers stay."""
        xp = framework(name)
        moved = {}
        for field, x in self.arrays().items():
            if x is None or isinstance(x, (int, float, tuple, list)):
                continue
            is_there = namespace(x) is xp
            moved[field] = xp.on_device(x, device) if is_there else xp.from_numpy(to_numpy(x).copy(), device=device)
        return replace(self, **moved)  # type: ignore[type-var]


@tree_of_fields("alpha_mode", "alpha_cutoff")
@dataclass(frozen=True, eq=False, kw_only=True)
class Material(_Painted):
    """Metal or not, smooth or rough: the metallic-roughness material of glTF 2.0, by its names and defaults.

    Args:
        base_color: [3], or [4] with alpha; multiplies the mesh's colours.
        metallic: 0 for what is no metal, 1 for metal; multiplies its map.
        roughness: perceptual, 0 (a mirror) to 1; its square is the width of the GGX lobe; multiplies its map.
        metallic_roughness_texture: [H, W, 2], roughness first, as in the green and blue of glTF's.
        normal_texture: [H, W, 3], the normal in the frame of tangent, bitangent and normal, times 1/2 plus 1/2.
        normal_scale: of its first two components.
        occlusion_texture: [H, W, 1], the share of the light from all around that reaches a point.
        occlusion_strength: 0 (none) to 1.
        emissive: [3], light sent out besides; multiplies its map.
        emissive_texture: [H, W, 3].
        alpha_mode: "opaque", "mask" (shown where alpha reaches `alpha_cutoff`; no gradient) or "blend".

    Raises:
        ValueError: a shape or `alpha_mode` is none of these.

    Example:
        >>> gold = Material(base_color=(1.0, 0.77, 0.34), roughness=0.3)
        >>> render(mesh.replace(material=gold), camera, (512, 512), lights=[EnvironmentLight(sky)])

    Khronos, glTF 2.0 Specification, 3.9 and Appendix B.
    """

    metallic: Any = 1.0
    roughness: Any = 1.0
    metallic_roughness_texture: Any = None
    normal_texture: Any = None
    normal_scale: Any = 1.0
    occlusion_texture: Any = None
    occlusion_strength: Any = 1.0
    emissive: Any = (0.0, 0.0, 0.0)
    emissive_texture: Any = None

    COLORS: ClassVar = {**_Painted.COLORS, "emissive": (3,)}
    NUMBERS: ClassVar = ("metallic", "roughness", "normal_scale", "occlusion_strength")
    MAPS: ClassVar = {
        "metallic_roughness_texture": 2,
        "normal_texture": 3,
        "occlusion_texture": 1,
        "emissive_texture": 3,
    }


@tree_of_fields("alpha_mode", "alpha_cutoff")
@dataclass(frozen=True, eq=False, kw_only=True)
class BlinnPhong(_Painted):
    """A matt colour under a highlight: diffuse + specular (N . H)^shininess, for each light.

    Args:
        base_color: [3], or [4] with alpha; multiplies the mesh's colours.
        specular: [3], what the middle of a highlight shows of a light of strength 1.
        shininess: the exponent; larger is sharper.

    Blinn: Models of Light Reflection for Computer Synthesized Pictures, SIGGRAPH 1977.
    """

    specular: Any = (0.5, 0.5, 0.5)
    shininess: Any = 32.0

    COLORS: ClassVar = {**_Painted.COLORS, "specular": (3,)}
    NUMBERS: ClassVar = ("shininess",)


@tree_of_fields("alpha_mode", "alpha_cutoff")
@dataclass(frozen=True, eq=False, kw_only=True)
class Unlit(_Painted):
    """The mesh's own colours, whatever the lights.

    Args:
        base_color: [3], or [4] with alpha; multiplies the mesh's colours.
    """


AnyMaterial = Material | BlinnPhong | Unlit


def normal_mapped(material: AnyMaterial | None) -> Material | None:
    """The material, where it has a map that bends normals."""
    return material if isinstance(material, Material) and material.normal_texture is not None else None


def is_white(color: Any) -> bool:
    """Whether a colour is known to change nothing."""
    return isinstance(color, (tuple, list)) and all(isinstance(x, (int, float)) and x == 1 for x in color)
