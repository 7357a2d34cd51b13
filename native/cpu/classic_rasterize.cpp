// SPDX-License-Identifier: MIT
// The faces of 2018, band by band: each band of rows has a list of the faces that touch it, in their order, and draws them one
// after the other, so that a strict comparison of depths gives ties to the lowest index, whatever the bands and threads.
#include <vector>

#include "../math/classic.h"
#include "bins.h"
#include "check.h"
#include "pool.h"
#include "rows.h"
#include "simd.h"

namespace intaglio {
namespace {

constexpr int kBandRows = 16, kLanes = 16;

// Working memory of one image, kept from call to call by each thread.
template <class T>
struct Workspace {
  std::vector<std::vector<ReadyFace<T>>> lists;  // chunks of faces as stored, then of faces turned around
  Bins<ReadyFace<T>> bands;                      // each in the order of the faces
  std::vector<T> centres;                        // ndc of the columns, with a block of lanes beyond them

  // Too large to be kept for a caller who may never draw such a mesh again.
  bool heavy() const { return bands.entries.capacity() * (8 + sizeof(ReadyFace<T>)) > (64 << 20); }
};

template <class T, class Visit>
void for_each_band(const ReadyFace<T>& f, const Visit& visit) {
  for (int band = f.row_begin / kBandRows; band <= (f.row_end - 1) / kBandRows; ++band) visit(band);
}

template <class T>
void make_all_ready(const ClassicFaces<T>& faces, int64_t b, Raster raster, int64_t bands, Workspace<T>& work) {
  int64_t chunk_size = std::max<int64_t>(1024, (faces.num_faces + 63) / 64);
  int64_t chunks = (faces.num_faces + chunk_size - 1) / chunk_size, lists = faces.fill_back ? 2 * chunks : chunks;
  work.lists.resize(lists);
  work.bands.sizes.assign(lists * bands, 0);
  const T* values = faces.faces_of(b);
  parallel_for(lists, [&](int64_t list) {
    std::vector<ReadyFace<T>>& out = work.lists[list];
    out.clear();
    int64_t offset = list < chunks ? 0 : faces.num_faces, chunk = list % chunks;
    int64_t end = std::min(faces.num_faces, (chunk + 1) * chunk_size);
    for (int64_t i = chunk * chunk_size; i < end; ++i) {
      ReadyFace<T> ready;
      if (make_ready(load_classic_face(values, faces.num_faces, offset + i), offset + i, raster.height, raster.width, ready))
        out.push_back(ready);
    }
    int32_t* sizes = work.bands.sizes.data() + list * bands;
    for (const ReadyFace<T>& f : out) for_each_band(f, [&](int band) { ++sizes[band]; });
  });
}

// What a band of rows shows so far: entries of its list, -1 for none. Rows lie `stride` apart.
template <class T>
struct Band {
  std::vector<int32_t> entry;
  std::vector<T> depth;
  int64_t stride = 0;

  void clear(int64_t width, T far) {
    stride = (width + kLanes - 1) / kLanes * kLanes;
    entry.assign(stride * kBandRows, -1);
    depth.assign(stride * kBandRows, far);
  }
};

template <class T>
INTAGLIO_INLINE void draw_face(const ReadyFace<T>& f, int32_t number, const T* centres, int first_row, int num_rows,
                               int64_t height, T near, Band<T>& band) {
  const int begin = f.column_begin & ~(kLanes - 1), end = f.column_end;
  const ClassicEdge<T> a = f.edge[0], b = f.edge[1], c = f.edge[2];
  const int row_end = std::min(f.row_end - first_row, num_rows);
  for (int y = std::max(f.row_begin - first_row, 0); y < row_end; ++y) {
    const T row = (T)(first_row + y), Y = classic_centre<T>(first_row + y, height);
    const T a_left = a.left(Y), b_left = b.left(Y), c_left = c.left(Y);
    for (int x = begin; x < end; x += kLanes) {
      int32_t outside[kLanes], any = 0;
      for (int l = 0; l < kLanes; ++l) {
        T X = centres[x + l];
        outside[l] = (a_left < a.right(X)) | (b_left < b.right(X)) | (c_left < c.right(X));
        any += 1 - outside[l];
      }
      if (any == 0) continue;
      int32_t* __restrict entries = band.entry.data() + y * band.stride + x;
      T* __restrict depths = band.depth.data() + y * band.stride + x;
      for (int l = 0; l < kLanes; ++l) {
        T depth = classic_sample(f.m, f.z, (T)(x + l), row).depth;
        bool wins = (outside[l] == 0) & !(depth <= near) & (depth < depths[l]);
        depths[l] = wins ? depth : depths[l];
        entries[l] = wins ? number : entries[l];
      }
    }
  }
}

template <class T>
INTAGLIO_INLINE void draw_all(const ReadyFace<T>* const* faces, int32_t count, const T* centres, int first_row, int num_rows,
                              int64_t height, T near, Band<T>& band) {
  for (int32_t i = 0; i < count; ++i) draw_face(*faces[i], i, centres, first_row, num_rows, height, near, band);
}

INTAGLIO_CLONES void draw_band(const ReadyFace<float>* const* faces, int32_t count, const float* centres, int first_row,
                               int num_rows, int64_t height, float near, Band<float>& band) {
  draw_all(faces, count, centres, first_row, num_rows, height, near, band);
}

void draw_band(const ReadyFace<double>* const* faces, int32_t count, const double* centres, int first_row, int num_rows,
               int64_t height, double near, Band<double>& band) {
  draw_all(faces, count, centres, first_row, num_rows, height, near, band);
}

// Where the values of one image go; only face_index is always wanted.
template <class T>
struct Image {
  int32_t* face_index;
  T *weights, *depth, *alpha;
};

template <class T>
void write_row(const ReadyFace<T>* const* faces, const int32_t* entries, const T* depths, T row, int64_t pixel, int64_t width,
               Image<T> image) {
  for (int64_t x = 0; x < width; ++x) image.face_index[pixel + x] = entries[x] < 0 ? -1 : faces[entries[x]]->face_index;
  if (image.alpha)
    for (int64_t x = 0; x < width; ++x) image.alpha[pixel + x] = entries[x] < 0 ? (T)0 : (T)1;
  if (image.depth) std::copy_n(depths, width, image.depth + pixel);
  if (!image.weights) return;
  for (int64_t x = 0; x < width; ++x) {
    T* weights = image.weights + 3 * (pixel + x);
    ClassicSample<T> s{};
    if (entries[x] >= 0) s = classic_sample(faces[entries[x]]->m, faces[entries[x]]->z, (T)x, row);
    for (int k = 0; k < 3; ++k) weights[k] = s.w[k];
  }
}

template <class T>
void draw_image(const ClassicFaces<T>& faces, int64_t b, Raster raster, T near, T far, Image<T> image) {
  thread_local Workspace<T> kept;
  Workspace<T>& work = kept;
  int64_t bands = (raster.height + kBandRows - 1) / kBandRows;
  make_all_ready(faces, b, raster, bands, work);
  work.bands.deal(work.lists, bands, [](const ReadyFace<T>& f, const auto& visit) { for_each_band(f, visit); });
  work.centres.assign(raster.width + kLanes, 2);
  for (int64_t x = 0; x < raster.width; ++x) work.centres[x] = classic_centre<T>(x, raster.width);
  parallel_for(bands, [&](int64_t index) {
    thread_local Band<T> band;
    int first_row = (int)index * kBandRows, num_rows = (int)std::min<int64_t>(kBandRows, raster.height - first_row);
    const ReadyFace<T>* const* list = work.bands.entries.data() + work.bands.begin[index];
    band.clear(raster.width, far);
    draw_band(list, work.bands.begin[index + 1] - work.bands.begin[index], work.centres.data(), first_row, num_rows,
              raster.height, near, band);
    for (int y = 0; y < num_rows; ++y) {
      int64_t pixel = (raster.height - 1 - first_row - y) * raster.width;
      write_row(list, band.entry.data() + y * band.stride, band.depth.data() + y * band.stride, (T)(first_row + y), pixel,
                raster.width, image);
    }
  });
  if (work.heavy()) work = {};
}

template <class T>
void draw(const ClassicFaces<T>& faces, Raster raster, T near, T far, Image<T> image) {
  check_size(raster);
  auto at = [](T* values, int64_t index) { return values ? values + index : nullptr; };
  for_each_image(raster.batch, [&](int64_t b) {
    int64_t pixel = b * raster.pixels();
    draw_image(faces, b, raster, near, far,
               {image.face_index + pixel, at(image.weights, 3 * pixel), at(image.depth, pixel), at(image.alpha, pixel)});
  });
}

}  // namespace

template <class T>
void classic_rasterize(const ClassicFaces<T>& faces, Raster raster, T near, T far, int32_t* face_index, T* weights, T* depth) {
  draw(faces, raster, near, far, {face_index, weights, depth, nullptr});
}

template <class T>
void classic_silhouette(const ClassicFaces<T>& faces, Raster raster, T near, T far, int32_t* face_index, T* alpha) {
  draw<T>(faces, raster, near, far, {face_index, nullptr, nullptr, alpha});
}

#define INTAGLIO_INSTANTIATE(T)                                                            \
  template void classic_rasterize(const ClassicFaces<T>&, Raster, T, T, int32_t*, T*, T*); \
  template void classic_silhouette(const ClassicFaces<T>&, Raster, T, T, int32_t*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
