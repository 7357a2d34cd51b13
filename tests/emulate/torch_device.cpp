// SPDX-License-Identifier: MIT
// A device of PyTorch's that is not the CPU, for tests without a GPU: its tensors lie in the host's memory, torch's own ops run
// on the CPU, and what mixes devices or reads a tensor as if it lay on the CPU fails as it would on a GPU. PyTorch calls such a
// device PrivateUse1; tests/other_device.py gives it a name.
#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/impl/alloc_cpu.h>
#include <torch/extension.h>

namespace {

constexpr c10::DeviceType kType = c10::DeviceType::PrivateUse1;
const c10::Device kDevice(kType, 0);
const c10::Stream kStream(c10::Stream::DEFAULT, kDevice);

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kType; }
  c10::Device exchangeDevice(c10::Device) const override { return kDevice; }
  c10::Device getDevice() const override { return kDevice; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const override { return kStream; }
  c10::Stream getDefaultStream(c10::Device) const override { return kStream; }
  c10::Stream exchangeStream(c10::Stream) const override { return kStream; }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

void release(void* data) {
  if (data) c10::free_cpu(data);
}

struct Memory final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    void* data = bytes ? c10::alloc_cpu(bytes) : nullptr;
    return {data, data, &release, kDevice};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }
};
Memory memory;
REGISTER_ALLOCATOR(kType, &memory);

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  void setCurrentDevice(c10::DeviceIndex) const override {}
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
};
[[maybe_unused]] const bool has_hooks = (at::RegisterPrivateUse1HooksInterface(new Hooks), true);

const c10::DispatchKeySet kKeys(c10::DispatchKey::PrivateUse1);

// The same memory as a tensor of the CPU.
at::Tensor on_cpu(const at::Tensor& x) {
  if (x.device().is_cpu()) return x;
  return at::from_blob(x.mutable_data_ptr(), x.sizes(), x.strides(), at::TensorOptions().dtype(x.dtype()));
}

using Dtype = std::optional<at::ScalarType>;
using Layout = std::optional<at::Layout>;
using Device = std::optional<at::Device>;
using Format = std::optional<at::MemoryFormat>;

at::Tensor empty(at::IntArrayRef size, Dtype dtype, Layout, Device, std::optional<bool>, Format format) {
  return at::detail::empty_generic(size, &memory, kKeys, c10::dtype_or_default(dtype), format);
}
at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride, Dtype dtype, Layout, Device, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &memory, kKeys, c10::dtype_or_default(dtype));
}
at::Tensor as_strided(const at::Tensor& x, at::IntArrayRef size, at::IntArrayRef stride, std::optional<int64_t> offset) {
  return at::native::as_strided_tensorimpl(x, size, stride, offset);
}
at::Tensor view(const at::Tensor& x, c10::SymIntArrayRef size) {
  return at::native::view(x, C10_AS_INTARRAYREF_SLOW(size));
}
at::Tensor reshape_alias(const at::Tensor& x, at::IntArrayRef size, at::IntArrayRef stride) {
  return at::native::_reshape_alias(x, size, stride);
}
const at::Tensor& resize(const at::Tensor& x, c10::SymIntArrayRef symbolic, Format) {
  const at::IntArrayRef size = C10_AS_INTARRAYREF_SLOW(symbolic);
  c10::TensorImpl* impl = x.unsafeGetTensorImpl();
  const size_t bytes = at::detail::computeStorageNbytesContiguous(size, x.dtype().itemsize(), x.storage_offset());
  if (bytes > impl->storage().nbytes()) {
    c10::DataPtr grown = memory.allocate(bytes);
    std::memcpy(grown.get(), impl->storage().data(), impl->storage().nbytes());
    impl->storage().set_data_ptr_noswap(std::move(grown));
    impl->storage().set_nbytes(bytes);
  }
  impl->set_sizes_contiguous(size);
  return x;
}
// How often the host would have waited for a GPU, and how often it brought something there; torch's own ops, which run on the
// CPU here alone, aside.
int64_t num_waits = 0, num_brought = 0;
bool is_on_cpu = false;

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool non_blocking) {
  const bool is_brought = from.device().is_cpu() && !to.device().is_cpu(), is_fetched = to.device().is_cpu();
  if (!is_on_cpu) num_brought += is_brought, num_waits += is_fetched || (is_brought && !non_blocking);
  if (from.numel()) on_cpu(to).copy_(on_cpu(from));
  return to;
}
at::Tensor copy_and_resize(const at::Tensor& from, const at::Tensor& to) {
  if (to.sizes() != from.sizes()) to.resize_(from.sizes());
  return copy_from(from, to, false);
}
at::Scalar item(const at::Tensor& x) {
  num_waits += !is_on_cpu;
  return at::_local_scalar_dense(on_cpu(x));
}
at::Tensor& set_storage(at::Tensor& x, at::Storage storage, int64_t offset, at::IntArrayRef size, at::IntArrayRef stride) {
  x.unsafeGetTensorImpl()->set_storage_keep_dtype(std::move(storage));
  x.unsafeGetTensorImpl()->set_sizes_and_strides(size, stride, offset);
  return x;
}
void run_on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  is_on_cpu = true;
  at::native::cpu_fallback(op, stack);
  is_on_cpu = false;
}

}  // namespace

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>());
}
TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("as_strided", as_strided);
  m.impl("view", view);
  m.impl("_reshape_alias", reshape_alias);
  m.impl("resize_", resize);
  m.impl("_copy_from", copy_from);
  m.impl("_copy_from_and_resize", copy_and_resize);
  m.impl("_local_scalar_dense", item);
  m.impl("set_.source_Storage_storage_offset", set_storage);
}
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
  m.def("counts", [] { return std::make_tuple(num_waits, num_brought); });
}
