// SPDX-License-Identifier: MIT
// A dense array of any framework, seen as raw memory.
#pragma once
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "third_party/dlpack.h"

// One for all back ends, each of which is a namespace of its own.
namespace intaglio_door {

constexpr DLDevice kCPU{kDLCPU, 0};

template <class T>
constexpr DLDataType dtype_of() {
  return {(uint8_t)(std::is_integral_v<T> ? kDLInt : kDLFloat), (uint8_t)(8 * sizeof(T)), 1};
}

// A named argument of a call, borrowed from a door; without data where the caller gave nothing.
class Array {
 public:
  Array(const DLTensor* tensor, const char* name, DLDevice where = kCPU) : tensor_(tensor), name_(name) {
    if (!tensor) return;
    const DLDevice& is = tensor_->device;
    if (is.device_type != where.device_type) fail(where.device_type == kDLCPU ? "must be on the CPU" : "must be on the GPU");
    if (is.device_id != where.device_id && where.device_type != kDLCPU) fail("must be on the same GPU as the other arrays");
    if (!dense()) fail("must be contiguous");
  }

  explicit operator bool() const { return tensor_ != nullptr; }
  int axes() const { return tensor_->ndim; }
  int64_t size(int axis) const { return tensor_->shape[axis < 0 ? tensor_->ndim + axis : axis]; }

  template <class T>
  bool holds() const {
    DLDataType want = dtype_of<T>();
    return tensor_->dtype.code == want.code && tensor_->dtype.bits == want.bits && tensor_->dtype.lanes == 1;
  }

  int64_t count() const {
    int64_t n = 1;
    for (int i = 0; i < tensor_->ndim; ++i) n *= tensor_->shape[i];
    return n;
  }

  // All elements of an array of any shape.
  template <class T>
  T* flat(int64_t want) const {
    if (!holds<std::remove_const_t<T>>()) fail("has an unexpected dtype");
    if (count() != want) fail("has " + std::to_string(count()) + " elements instead of " + std::to_string(want));
    return (T*)((char*)tensor_->data + tensor_->byte_offset);
  }

  // The data, if dtype and shape are as expected; -1 stands for any size. Front ends have checked their arguments with better
  // messages: this keeps a mistake of theirs from becoming a crash.
  template <class T>
  T* data(std::initializer_list<int64_t> shape) const {
    if (!*this) return nullptr;
    if (!holds<std::remove_const_t<T>>()) fail("has an unexpected dtype");
    if ((size_t)tensor_->ndim != shape.size()) fail("has an unexpected number of axes");
    int axis = 0;
    for (int64_t want : shape) {
      if (want >= 0 && tensor_->shape[axis] != want)
        fail("has size " + std::to_string(tensor_->shape[axis]) + " instead of " + std::to_string(want) + " along axis " +
             std::to_string(axis));
      ++axis;
    }
    return (T*)((char*)tensor_->data + tensor_->byte_offset);
  }

  [[noreturn]] void fail(const std::string& what) const { throw std::invalid_argument(std::string(name_) + " " + what); }

 private:
  bool dense() const {
    if (!tensor_->strides) return true;
    for (int i = 0; i < tensor_->ndim; ++i)
      if (tensor_->shape[i] == 0) return true;
    int64_t expected = 1;
    for (int i = tensor_->ndim - 1; i >= 0; --i) {
      if (tensor_->shape[i] != 1 && tensor_->strides[i] != expected) return false;
      expected *= tensor_->shape[i];
    }
    return true;
  }

  const DLTensor* tensor_;
  const char* name_;
};

}  // namespace intaglio_door
