# SPDX-License-Identifier: MIT
"""llvmpipe shading a metallic-roughness surface by the formulas of intaglio's ops: one draw, colours read back.

Vertices go up at every call, maps stay; alpha of the picture says what is covered. See llvmpipe.py for the context.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from intaglio.light import light_table
from intaglio.split_sum import split_sum_table

from ..shading_scene import ShadingScene
from . import llvmpipe

_VERTEX_SHADER = """
#version 330
uniform mat4 clip_from_world;
in vec3 position; in vec3 normal; in vec4 tangent; in vec2 uv;
out vec3 at; out vec3 n_across; out vec4 t_across; out vec2 uv_at;
void main() {
  at = position; n_across = normal; t_across = tangent; uv_at = uv;
  gl_Position = clip_from_world * vec4(position, 1.0);
}
"""
_FRAGMENT_SHADER = """
#version 330
uniform sampler2D base_color, roughness_metallic, normal_map, table;
uniform samplerCube sky;
uniform vec3 irradiance[9];
uniform vec4 place[LIGHTS];
uniform vec3 light_color[LIGHTS];
uniform vec4 viewer;
uniform float last_level;
in vec3 at; in vec3 n_across; in vec4 t_across; in vec2 uv_at;
out vec4 shown;

float masking(float c, float a2) { return 1.0 / (c + sqrt(a2 + (1.0 - a2) * c * c)); }

vec3 direct(vec3 n, vec3 v, vec3 color, float a2, float metallic) {
  vec3 f0 = mix(vec3(0.04), color, metallic), diffuse = color * (1.0 - metallic), sum = vec3(0.0);
  float nv = max(dot(n, v), 0.0), masked = masking(nv, a2);
  for (int k = 0; k < LIGHTS; ++k) {
    vec3 to_light = place[k].xyz - place[k].w * at, l = normalize(to_light), h = normalize(l + v), across = cross(n, h);
    float nl = max(dot(n, l), 0.0), nh = max(dot(n, h), 0.0), vh = max(dot(v, h), 0.0);
    float share = place[k].w != 0.0 ? 1.0 / max(dot(to_light, to_light), 1e-8) : 1.0;
    float below = dot(across, across) + a2 * nh * nh, d = a2 / (below * below), u = 1.0 - vh, u2 = u * u;
    vec3 fresnel = f0 + (1.0 - f0) * (u2 * u2 * u);
    sum += light_color[k] * (share * nl) * ((1.0 - fresnel) * diffuse + fresnel * (d * masked * masking(nl, a2)));
  }
  return sum;
}

vec3 harmonic(vec3 d) {
  return 0.28209479 * irradiance[0] +
      0.48860251 * (d.y * irradiance[1] + d.z * irradiance[2] + d.x * irradiance[3]) +
      1.09254843 * (d.x * d.y * irradiance[4] + d.y * d.z * irradiance[5] + d.x * d.z * irradiance[7]) +
      0.31539157 * (3.0 * d.z * d.z - 1.0) * irradiance[6] + 0.54627422 * (d.x * d.x - d.y * d.y) * irradiance[8];
}

void main() {
  vec3 color = texture(base_color, uv_at).rgb, texel = 2.0 * texture(normal_map, uv_at).rgb - 1.0;
  vec2 surface = texture(roughness_metallic, uv_at).rg;
  vec3 bitangent = t_across.w * cross(n_across, t_across.xyz);
  vec3 n = normalize(texel.x * t_across.xyz + texel.y * bitangent + texel.z * n_across);
  vec3 v = normalize(viewer.xyz - viewer.w * at);
  float alpha = max(surface.r * surface.r, 0.045 * 0.045), metallic = surface.g;
  vec3 reflected = 2.0 * dot(n, v) * n - v;
  vec2 entries = vec2(textureSize(table, 0));
  vec2 split = texture(table, (vec2(max(dot(n, v), 0.0), surface.r) * (entries - 1.0) + 0.5) / entries).rg;
  vec3 radiance = textureLod(sky, reflected, surface.r * last_level).rgb;
  vec3 f0 = mix(vec3(0.04), color, metallic);
  vec3 around = color * (1.0 - metallic) * (1.0 - (0.04 * split.x + split.y)) * harmonic(n) +
      (f0 * split.x + split.y) * radiance;
  shown = vec4(direct(n, v, color, alpha * alpha, metallic) + around, 1.0);
}
"""
_SEAMLESS = 0x884F  # GL_TEXTURE_CUBE_MAP_SEAMLESS
_FIRST_FACE, _RGB, _FLOAT = 0x8515, 0x1907, 0x1406  # GL_TEXTURE_CUBE_MAP_POSITIVE_X, GL_RGB, GL_FLOAT


def forward(scene: ShadingScene, size: int) -> Callable[[], np.ndarray]:
    """A call that draws the scene: [size, size, 4] float32, linear, the bottom row first."""
    gl = llvmpipe.context()
    gl.enable_direct(_SEAMLESS)
    lights = light_table(scene.lights[:2], scene.mesh.vertices)
    program = gl.program(
        vertex_shader=_VERTEX_SHADER, fragment_shader=_FRAGMENT_SHADER.replace("LIGHTS", str(len(lights)))
    )
    textures = _textures(gl, program, scene)
    camera = scene.camera
    clip_from_world = camera.projection.clip_from_view((size, size)) @ camera.view_from_world
    _set(program, "clip_from_world", clip_from_world.T)
    _set(program, "viewer", camera.viewer((size, size)))
    _set(program, "irradiance", scene.lights[2].irradiance_coefficients())
    _set(program, "place", lights[:, :4])
    _set(program, "light_color", lights[:, 4:7])
    mesh = scene.mesh
    positions = np.zeros_like(mesh.normals)  # with one index for all
    positions[mesh.uv_triangles] = mesh.vertices[mesh.triangles]
    vertices = np.concatenate([positions, mesh.normals, mesh.tangents, mesh.uv], axis=1)
    buffer, indices = gl.buffer(vertices, dynamic=True), gl.buffer(mesh.uv_triangles)
    layout = (buffer, "3f 3f 4f 2f", "position", "normal", "tangent", "uv")
    drawn = gl.vertex_array(program, [layout], indices, index_element_size=4)
    image = gl.texture((size, size), 4, dtype="f4")
    framebuffer = gl.framebuffer([image], gl.depth_renderbuffer((size, size)))
    shown = np.empty((size, size, 4), np.float32)

    def render() -> np.ndarray:
        buffer.write(vertices)
        framebuffer.use()
        for location, texture in enumerate(textures):
            texture.use(location)
        framebuffer.clear(depth=1.0)
        drawn.render()
        image.read_into(shown)
        return shown

    return render


def _textures(gl: Any, program: Any, scene: ShadingScene) -> list[Any]:
    """The maps, in the order of their units."""
    material = scene.mesh.material
    maps = {
        "base_color": scene.mesh.texture,
        "roughness_metallic": material.metallic_roughness_texture,
        "normal_map": material.normal_texture,
        "table": split_sum_table(),
    }
    textures = []
    for name, texels in maps.items():
        texture = gl.texture(texels.shape[1::-1], texels.shape[2], np.ascontiguousarray(texels), dtype="f4")
        texture.filter = (gl.LINEAR, gl.LINEAR)
        texture.repeat_x = texture.repeat_y = name != "table"
        textures.append(texture)
    levels = scene.lights[2].prefiltered()
    textures.append(_cube(gl, levels))
    for unit, name in enumerate((*maps, "sky")):
        program[name] = unit
    program["last_level"] = float(len(levels) - 1)
    return textures


def _cube(gl: Any, levels: Sequence[np.ndarray]) -> Any:
    """A cube map of these levels, which moderngl has no call for but the driver has."""
    cube = gl.texture_cube(levels[0].shape[1:3], 3, np.ascontiguousarray(levels[0], np.float32), dtype="f4")
    cube.build_mipmaps(0, len(levels) - 1)
    cube.filter = (gl.LINEAR_MIPMAP_LINEAR, gl.LINEAR)
    cube.use(0)
    egl = ctypes.CDLL("libEGL.so.1")
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    arguments = [ctypes.c_uint] + [ctypes.c_int] * 5 + [ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p]
    put = ctypes.CFUNCTYPE(None, *arguments)(egl.eglGetProcAddress(b"glTexSubImage2D"))
    for level, texels in enumerate(levels):
        for face in range(6):
            values = np.ascontiguousarray(texels[face], np.float32)
            put(_FIRST_FACE + face, level, 0, 0, *values.shape[:2], _RGB, _FLOAT, values.ctypes.data)
    return cube


def _set(program: Any, name: str, values: np.ndarray) -> None:
    program[name].write(np.ascontiguousarray(values, np.float32))
