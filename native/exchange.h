// SPDX-License-Identifier: MIT
// Arrays of torch, paddle and numpy as raw memory: through the DLPack C exchange API where the type offers it (0.2
// microseconds, takes tensors that require gradients), else through nanobind's ndarray (NumPy).
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "array.h"
#include "buffers.h"
#include "third_party/dlpack.h"

namespace intaglio {

namespace nb = nanobind;

inline const DLPackExchangeAPI* exchange_api(PyTypeObject* type) {
  static std::unordered_map<PyTypeObject*, const DLPackExchangeAPI*> known;  // guarded by the GIL
  auto found = known.find(type);
  if (found != known.end()) return found->second;
  const DLPackExchangeAPI* api = nullptr;
  if (PyObject* capsule = PyObject_GetAttrString((PyObject*)type, "__dlpack_c_exchange_api__")) {
    api = (const DLPackExchangeAPI*)PyCapsule_GetPointer(capsule, "dlpack_exchange_api");
    if (api && (api->header.version.major != DLPACK_MAJOR_VERSION || !api->dltensor_from_py_object_no_sync)) api = nullptr;
    Py_DECREF(capsule);
  }
  PyErr_Clear();
  Py_INCREF(type);  // the key must not be reused
  known.emplace(type, api);
  return api;
}

// What keeps arrays readable that their framework has no exchange API for.
using Kept = std::vector<nb::ndarray<nb::ro>>;

// Borrowed: valid while the object and `kept` live.
inline void read_tensor(nb::handle object, DLTensor& tensor, Kept& kept) {
  if (const DLPackExchangeAPI* api = exchange_api(Py_TYPE(object.ptr()))) {
    if (api->dltensor_from_py_object_no_sync(object.ptr(), &tensor)) throw nb::python_error();
    return;
  }
  // A read-only array is taken too: inputs are only read, and front ends allocate their outputs.
  const auto& array = kept.emplace_back(nb::cast<nb::ndarray<nb::ro>>(object, false));
  tensor = {(void*)array.data(),
            {(DLDeviceType)array.device_type(), array.device_id()},
            (int32_t)array.ndim(),
            {array.dtype().code, array.dtype().bits, array.dtype().lanes},
            const_cast<int64_t*>(array.shape_ptr()),
            const_cast<int64_t*>(array.stride_ptr()),
            0};
}

// A fresh dense CPU array of the framework and floating-point dtype of `like` (int32 if `index`), in recycled memory.
inline nb::object recycled_array(nb::handle like, const std::vector<int64_t>& shape, bool index) {
  struct Recycled {
    DLManagedTensorVersioned managed{};
    std::vector<int64_t> shape, strides;
    size_t bytes;
    void* data;

    static void release(void* self) noexcept {
      Recycled* r = (Recycled*)self;
      give_buffer(r->data, r->bytes);
      delete r;
    }
  };
  DLTensor liked;
  Kept kept;
  read_tensor(like, liked, kept);
  DLDataType dtype = index ? dtype_of<int32_t>() : liked.dtype;
  auto made = std::make_unique<Recycled>();
  made->shape = made->strides = shape;
  int64_t count = 1;
  for (size_t i = shape.size(); i-- > 0; count *= shape[i]) made->strides[i] = count;
  made->bytes = (size_t)count * dtype.bits / 8;
  made->data = take_buffer(made->bytes);
  Recycled* r = made.release();
  const DLPackExchangeAPI* api = exchange_api(Py_TYPE(like.ptr()));
  if (!api) {
    nb::capsule owner(r, [](void* self) noexcept { Recycled::release(self); });
    std::vector<size_t> sizes(shape.begin(), shape.end());
    nb::dlpack::dtype numpy_dtype{dtype.code, dtype.bits, 1};
    return nb::cast(nb::ndarray<nb::numpy>(r->data, sizes.size(), sizes.data(), owner, nullptr, numpy_dtype));
  }
  r->managed.version = {DLPACK_MAJOR_VERSION, DLPACK_MINOR_VERSION};
  r->managed.manager_ctx = r;
  r->managed.deleter = [](DLManagedTensorVersioned* self) { Recycled::release(self->manager_ctx); };
  r->managed.dl_tensor = {r->data, {kDLCPU, 0}, (int32_t)shape.size(), dtype, r->shape.data(), r->strides.data(), 0};
  void* object = nullptr;
  if (api->managed_tensor_to_py_object_no_sync(&r->managed, &object)) throw nb::python_error();
  return nb::steal((PyObject*)object);
}

}  // namespace intaglio
