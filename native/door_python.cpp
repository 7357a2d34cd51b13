// SPDX-License-Identifier: MIT
// The door for torch, paddle and numpy, and the Python module.
#include <nanobind/stl/vector.h>

#include "bind.h"
#include "cpu/pool.h"
#include "cpu/simd.h"
#include "door_xla.h"
#include "exchange.h"

namespace intaglio {
namespace {

void add(Arguments& arguments, nb::handle given, Kept& kept) {
  if (given.is_none()) return arguments.add();
  if (PyFloat_Check(given.ptr()) || PyLong_Check(given.ptr())) return arguments.add(PyFloat_AsDouble(given.ptr()));
  read_tensor(given, arguments.add_array(), kept);
}

// Runs a binding without the GIL; what it objects to becomes a ValueError.
void call(const Binding& binding, const nb::args& given) {
  Arguments arguments;
  Kept kept;
  std::string complaint;
  try {
    for (nb::handle argument : given) add(arguments, argument, kept);
    nb::gil_scoped_release release;
    binding.run(arguments);
  } catch (const std::invalid_argument& error) {
    complaint = std::string(binding.op) + ": " + error.what();
  }
  if (!complaint.empty()) throw nb::value_error(complaint.c_str());
  if (arguments.warning.empty()) return;
  std::string text = std::string(binding.op) + ": " + arguments.warning;
  if (PyErr_WarnEx(PyExc_RuntimeWarning, text.c_str(), 1) < 0) throw nb::python_error();
}

}  // namespace
}  // namespace intaglio

NB_MODULE(_native, m) {
  using namespace intaglio;
  for (const Binding& binding : bindings()) m.def(binding.name, [&binding](const nb::args& given) { call(binding, given); });
  m.attr("xla_handler") = nb::capsule((void*)run_for_xla, "xla._CUSTOM_CALL_TARGET");
  m.def("recycled_array", &recycled_array);
  m.def("simd_level", &simd_level);
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads);
}
