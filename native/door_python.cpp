// SPDX-License-Identifier: MIT
// The door for torch, paddle and numpy, and the Python module.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bind.h"
#include "cpu/pool.h"
#include "cpu/simd.h"
#include "door_backends.h"
#include "door_xla.h"
#include "exchange.h"

namespace intaglio {
namespace {

void add(Arguments& arguments, nb::handle given, Kept& kept) {
  if (given.is_none()) return arguments.add();
  if (PyFloat_Check(given.ptr()) || PyLong_Check(given.ptr())) return arguments.add(PyFloat_AsDouble(given.ptr()));
  read_tensor(given, arguments.add_array(), kept);
}

// Memory of the framework whose arrays are given.
class FrameworkMemory : public Memory {
 public:
  FrameworkMemory(const DLPackExchangeAPI* api, DLDevice device) : api_(api), device_(device) {}
  ~FrameworkMemory() override {
    for (DLManagedTensorVersioned* tensor : taken_) tensor->deleter(tensor);
  }

 private:
  void* allocate(size_t bytes) override {
    int64_t size = (int64_t)bytes, stride = 1;
    DLTensor wanted{nullptr, device_, 1, {kDLUInt, 8, 1}, &size, &stride, 0};
    DLManagedTensorVersioned* made = nullptr;
    std::string complaint;
    auto complain = [](void* to, const char*, const char* message) { *(std::string*)to = message; };
    if (api_->managed_tensor_allocator(&wanted, &made, &complaint, complain) || !made)
      throw std::runtime_error(complaint.empty() ? "out of memory" : complaint);
    taken_.push_back(made);
    return (char*)made->dl_tensor.data + made->dl_tensor.byte_offset;
  }

  const DLPackExchangeAPI* api_;
  DLDevice device_;
  std::vector<DLManagedTensorVersioned*> taken_;
};

// What a GPU call needs of the framework of its first array.
const DLPackExchangeAPI* api_of(const nb::args& given) {
  for (nb::handle argument : given)
    if (!argument.is_none() && !PyFloat_Check(argument.ptr()) && !PyLong_Check(argument.ptr()))
      return exchange_api(Py_TYPE(argument.ptr()));
  return nullptr;
}

// Runs a binding without the GIL; what it objects to becomes a ValueError.
void call(size_t index, const nb::args& given) {
  const char* op = bindings()[index].op;
  Arguments arguments;
  Kept kept;
  std::string complaint, failure;
  try {
    for (nb::handle argument : given) add(arguments, argument, kept);
    const DLDevice device = arguments.device();
    const DLPackExchangeAPI* api = is_host(device) ? nullptr : api_of(given);
    FrameworkMemory memory(api, device);
    Caller caller{nullptr, api ? &memory : nullptr};
    if (api && api->current_work_stream(device.device_type, device.device_id, &caller.stream)) throw nb::python_error();
    nb::gil_scoped_release release;
    run_binding(index, arguments, caller);
  } catch (const std::invalid_argument& error) {
    complaint = std::string(op) + ": " + error.what();
  } catch (const std::runtime_error& error) {
    failure = std::string(op) + ": " + error.what();
  }
  if (!complaint.empty()) throw nb::value_error(complaint.c_str());
  if (!failure.empty()) throw std::runtime_error(failure);
  if (arguments.warning.empty()) return;
  std::string text = std::string(op) + ": " + arguments.warning;
  if (PyErr_WarnEx(PyExc_RuntimeWarning, text.c_str(), 1) < 0) throw nb::python_error();
}

}  // namespace
}  // namespace intaglio

NB_MODULE(_native, m) {
  using namespace intaglio;
  for (size_t i = 0; i < bindings().size(); ++i) m.def(bindings()[i].name, [i](const nb::args& given) { call(i, given); });
  m.attr("xla_handler") = nb::capsule((void*)run_for_xla, "xla._CUSTOM_CALL_TARGET");
  m.attr("xla_handler_on_gpu") = nb::capsule((void*)run_for_xla_on_gpu, "xla._CUSTOM_CALL_TARGET");
  m.def("recycled_array", &recycled_array);
  m.def("has_cuda", &has_cuda);
  m.def("num_gpus", &num_gpus);
  m.def("why_no_gpus", &why_no_gpus);
  m.def("is_emulating", &is_emulating);
  m.def("set_emulating", &set_emulating);
  m.def("set_deterministic", &set_deterministic);
  m.def("set_checked", &set_checked);
  m.def("simd_level", &simd_level);
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads);
}
