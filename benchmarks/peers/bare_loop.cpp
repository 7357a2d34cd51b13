// SPDX-License-Identifier: MIT
// The least that a CPU rasterizer of this kind can do: project, three edge functions, depth test, id. One thread, one
// image, output memory that is already warm; no clipping, no fill rule, no barycentrics, no checks. It is not
// a renderer (a vertex behind the eye breaks it): it is the floor under one.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace {

constexpr int kLanes = 16;
typedef float Floats __attribute__((vector_size(4 * kLanes)));
typedef int Ints __attribute__((vector_size(4 * kLanes)));

struct Pixel {
    float x, y, depth;
};

// value(x, y) = dx * x + dy * y + constant
struct Plane {
    float dx, dy, constant;
};

Plane edge_function(Pixel from, Pixel to, float inverse_area) {
    return {(from.y - to.y) * inverse_area, (to.x - from.x) * inverse_area,
            (from.x * to.y - to.x * from.y) * inverse_area};
}

}  // namespace

// `triangle_id` and `depth` hold height rows of row_length = width rounded up to a multiple of 16.
extern "C" void bare_loop(const float* pos_clip, int num_vertices, const int* triangles, int num_triangles, int height,
                          int width, int row_length, int* triangle_id, float* depth) {
    static std::vector<Pixel> pixels;
    pixels.resize(num_vertices);
    for (int i = 0; i < num_vertices; ++i) {
        const float* p = pos_clip + 4 * i;
        float inverse_w = 1 / p[3];
        pixels[i] = {(p[0] * inverse_w + 1) * 0.5f * width - 0.5f, (1 - p[1] * inverse_w) * 0.5f * height - 0.5f,
                     p[2] * inverse_w};
    }
    std::fill(triangle_id, triangle_id + size_t(row_length) * height, -1);
    std::fill(depth, depth + size_t(row_length) * height, 1.0f);

    Floats lane;
    for (int i = 0; i < kLanes; ++i) lane[i] = i;

    for (int t = 0; t < num_triangles; ++t) {
        Pixel a = pixels[triangles[3 * t]], b = pixels[triangles[3 * t + 1]], c = pixels[triangles[3 * t + 2]];
        int x_begin = std::max(0, int(std::ceil(std::min({a.x, b.x, c.x}))));
        int x_end = std::min(width - 1, int(std::floor(std::max({a.x, b.x, c.x}))));
        int y_begin = std::max(0, int(std::ceil(std::min({a.y, b.y, c.y}))));
        int y_end = std::min(height - 1, int(std::floor(std::max({a.y, b.y, c.y}))));
        float area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
        if (x_begin > x_end || y_begin > y_end || area == 0) continue;

        Plane of_a = edge_function(b, c, 1 / area), of_b = edge_function(c, a, 1 / area);
        Plane of_depth = {of_a.dx * (a.depth - c.depth) + of_b.dx * (b.depth - c.depth),
                          of_a.dy * (a.depth - c.depth) + of_b.dy * (b.depth - c.depth),
                          of_a.constant * (a.depth - c.depth) + of_b.constant * (b.depth - c.depth) + c.depth};
        for (int y = y_begin; y <= y_end; ++y) {
            for (int x = x_begin & -kLanes; x <= x_end; x += kLanes) {
                Floats column = lane + float(x);
                Floats weight_a = column * of_a.dx + (of_a.dy * y + of_a.constant);
                Floats weight_b = column * of_b.dx + (of_b.dy * y + of_b.constant);
                Floats new_depth = column * of_depth.dx + (of_depth.dy * y + of_depth.constant);
                float* depth_at = depth + size_t(y) * row_length + x;
                int* id_at = triangle_id + size_t(y) * row_length + x;
                Floats old_depth;
                Ints old_id;
                std::memcpy(&old_depth, depth_at, sizeof old_depth);
                std::memcpy(&old_id, id_at, sizeof old_id);
                Ints covers = (weight_a >= 0.f) & (weight_b >= 0.f) & (weight_a + weight_b <= 1.f) & (new_depth < old_depth);
                old_depth = covers ? new_depth : old_depth;
                old_id = covers ? Ints{} + t : old_id;
                std::memcpy(depth_at, &old_depth, sizeof old_depth);
                std::memcpy(id_at, &old_id, sizeof old_id);
            }
        }
    }
}
