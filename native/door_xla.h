// SPDX-License-Identifier: MIT
// The door for JAX.
#pragma once
#include "third_party/xla_ffi.h"

namespace intaglio {

// The handler of every native call. Its buffers are the arrays of the call, in order, inputs then outputs; its attributes are
//   call: the binding's name,
//   given: a letter for each argument in order: `a` for an input array, `o` for an output, `n` for a number, `-` for nothing,
//   numbers: float64, in order; may be missing where there are none.
XLA_FFI_Error* run_for_xla(XLA_FFI_CallFrame* frame);

// The same on a GPU: on XLA's stream, with memory that it lends.
XLA_FFI_Error* run_for_xla_on_gpu(XLA_FFI_CallFrame* frame);

}  // namespace intaglio
