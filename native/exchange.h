// SPDX-License-Identifier: MIT
// Arrays of any framework, seen as raw memory: through the DLPack C exchange API where the type offers it (0.2 microseconds,
// takes tensors that require gradients), else through nanobind's ndarray (NumPy).
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

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

template <class T>
constexpr DLDataType dtype_of() {
  return {(uint8_t)(std::is_integral_v<T> ? kDLInt : kDLFloat), (uint8_t)(8 * sizeof(T)), 1};
}

// A dense CPU array, borrowed: valid while its Python object lives. None is an array without data.
class Array {
 public:
  Array(const Array&) = delete;  // the tensor may point into this object

  Array(nb::handle object, const char* name) : name_(name) {
    if (object.is_none()) return;
    present_ = true;
    if (const DLPackExchangeAPI* api = exchange_api(Py_TYPE(object.ptr()))) {
      if (api->dltensor_from_py_object_no_sync(object.ptr(), &tensor_)) throw nb::python_error();
    } else {
      // A read-only array is taken too: inputs are only read, and front ends allocate their outputs.
      kept_ = nb::cast<nb::ndarray<nb::ro>>(object, false);
      for (size_t i = 0; i < kept_.ndim() && i < kMaxAxes; ++i) shape_[i] = kept_.shape(i), strides_[i] = kept_.stride(i);
      tensor_ = {(void*)kept_.data(),
                 {(DLDeviceType)kept_.device_type(), kept_.device_id()},
                 (int32_t)kept_.ndim(),
                 {kept_.dtype().code, kept_.dtype().bits, kept_.dtype().lanes},
                 shape_,
                 strides_,
                 0};
    }
    if (tensor_.ndim > (int)kMaxAxes) fail("must have fewer axes");
    if (tensor_.device.device_type != kDLCPU) fail("must be on the CPU");
    if (!dense()) fail("must be contiguous");
  }

  explicit operator bool() const { return present_; }
  int axes() const { return tensor_.ndim; }
  DLDataType dtype() const { return tensor_.dtype; }
  int64_t size(int axis) const { return tensor_.shape[axis < 0 ? tensor_.ndim + axis : axis]; }

  template <class T>
  bool holds() const {
    DLDataType want = dtype_of<T>();
    return tensor_.dtype.code == want.code && tensor_.dtype.bits == want.bits && tensor_.dtype.lanes == 1;
  }

  int64_t count() const {
    int64_t n = 1;
    for (int i = 0; i < tensor_.ndim; ++i) n *= tensor_.shape[i];
    return n;
  }

  // All elements of an array of any shape.
  template <class T>
  T* flat(int64_t want) const {
    if (!holds<std::remove_const_t<T>>()) fail("has an unexpected dtype");
    if (count() != want) fail("has " + std::to_string(count()) + " elements instead of " + std::to_string(want));
    return (T*)((char*)tensor_.data + tensor_.byte_offset);
  }

  // The data, if dtype and shape are as expected; -1 stands for any size. Front ends have checked their arguments with better
  // messages: this keeps a mistake of theirs from becoming a crash.
  template <class T>
  T* data(std::initializer_list<int64_t> shape) const {
    if (!*this) return nullptr;
    if (!holds<std::remove_const_t<T>>()) fail("has an unexpected dtype");
    if ((size_t)tensor_.ndim != shape.size()) fail("has an unexpected number of axes");
    int axis = 0;
    for (int64_t want : shape) {
      if (want >= 0 && tensor_.shape[axis] != want)
        fail("has size " + std::to_string(tensor_.shape[axis]) + " instead of " + std::to_string(want) + " along axis " +
             std::to_string(axis));
      ++axis;
    }
    return (T*)((char*)tensor_.data + tensor_.byte_offset);
  }

  [[noreturn]] void fail(const std::string& what) const { throw std::invalid_argument(std::string(name_) + " " + what); }

 private:
  static constexpr size_t kMaxAxes = 8;

  bool dense() const {
    if (!tensor_.strides) return true;
    for (int i = 0; i < tensor_.ndim; ++i)
      if (tensor_.shape[i] == 0) return true;
    int64_t expected = 1;
    for (int i = tensor_.ndim - 1; i >= 0; --i) {
      if (tensor_.shape[i] != 1 && tensor_.strides[i] != expected) return false;
      expected *= tensor_.shape[i];
    }
    return true;
  }

  const char* name_;
  bool present_ = false;
  DLTensor tensor_{};
  nb::ndarray<nb::ro> kept_;
  int64_t shape_[kMaxAxes], strides_[kMaxAxes];
};

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
  DLDataType dtype = index ? dtype_of<int32_t>() : Array(like, "like").dtype();
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
