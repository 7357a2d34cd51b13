// SPDX-License-Identifier: MIT
// Written in the C interface of XLA's foreign functions alone, which needs one header and no library. Runs on XLA's threads,
// which know no Python: nothing here may touch it, but for a warning.
#include "door_xla.h"

#include <Python.h>

#include <cctype>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bind.h"
#include "door_backends.h"

namespace intaglio {
namespace {

struct Given {
  std::string_view call, arguments;
  const double* numbers = nullptr;
  size_t num_numbers = 0;
};

std::string_view text_of(const XLA_FFI_ByteSpan& span) {
  return {span.ptr, span.len};
}

Given given_of(const XLA_FFI_Attrs& attributes) {
  Given given;
  for (int64_t i = 0; i < attributes.size; ++i) {
    std::string_view name = text_of(*attributes.names[i]);
    const void* value = attributes.attrs[i];
    if (name == "numbers" && attributes.types[i] == XLA_FFI_AttrType_ARRAY) {
      const auto& array = *(const XLA_FFI_Array*)value;
      if (array.dtype == XLA_FFI_DataType_F64) given.numbers = (const double*)array.data, given.num_numbers = array.size;
    } else if (attributes.types[i] == XLA_FFI_AttrType_STRING) {
      (name == "call" ? given.call : given.arguments) = text_of(*(const XLA_FFI_ByteSpan*)value);
    }
  }
  return given;
}

DLDataType dtype_from(XLA_FFI_DataType type) {
  switch (type) {
    case XLA_FFI_DataType_F32:
      return dtype_of<float>();
    case XLA_FFI_DataType_F64:
      return dtype_of<double>();
    case XLA_FFI_DataType_S32:
      return dtype_of<int32_t>();
    default:
      return {kDLOpaqueHandle, 0, 1};  // which no binding takes
  }
}

DLTensor tensor_of(const void* item, DLDevice device) {
  const auto& buffer = *(const XLA_FFI_Buffer*)item;
  return {buffer.data, device, (int32_t)buffer.rank, dtype_from(buffer.dtype), buffer.dims, nullptr, 0};
}

// Attributes and buffers were made together, by one function of the front end: this checks that they belong together.
void read(const Given& given, const XLA_FFI_CallFrame& frame, DLDevice device, Arguments& arguments) {
  int64_t input = 0, output = 0;
  size_t number = 0;
  for (char kind : given.arguments) {
    if (kind == 'a' && input < frame.args.size) {
      arguments.add_array() = tensor_of(frame.args.args[input++], device);
    } else if (kind == 'o' && output < frame.rets.size) {
      arguments.add_array() = tensor_of(frame.rets.rets[output++], device);
    } else if (kind == 'n' && number < given.num_numbers) {
      arguments.add(given.numbers[number++]);
    } else if (kind == '-') {
      arguments.add();
    } else {
      throw std::invalid_argument("has other arguments than it says");
    }
  }
}

// The place of a call in the tables; -1 if there is none.
int64_t find(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, int64_t> found;
    for (const Binding& binding : bindings()) found.emplace(binding.name, (int64_t)found.size());
    return found;
  }();
  auto at = by_name.find(name);
  return at == by_name.end() ? -1 : at->second;
}

XLA_FFI_Error* error_of(const XLA_FFI_Api* api, XLA_FFI_Error_Code code, const std::string& message) {
  XLA_FFI_Error_Create_Args args{XLA_FFI_Error_Create_Args_STRUCT_SIZE, nullptr, message.c_str(), code};
  return api->XLA_FFI_Error_Create(&args);
}

// Whether the warning passed for one: a filter may have made it an exception, which XLA cannot carry.
bool warn(const std::string& message) {
  PyGILState_STATE state = PyGILState_Ensure();
  bool passed = PyErr_WarnEx(PyExc_RuntimeWarning, message.c_str(), 1) == 0;
  if (!passed) PyErr_Clear();
  PyGILState_Release(state);
  return passed;
}

// Throws what XLA objects to.
void check(const XLA_FFI_Api* api, XLA_FFI_Error* error) {
  if (!error) return;
  XLA_FFI_Error_GetMessage_Args got{XLA_FFI_Error_GetMessage_Args_STRUCT_SIZE, nullptr, error, nullptr};
  api->XLA_FFI_Error_GetMessage(&got);
  std::string message = got.message ? got.message : "XLA failed";
  XLA_FFI_Error_Destroy_Args done{XLA_FFI_Error_Destroy_Args_STRUCT_SIZE, nullptr, error};
  api->XLA_FFI_Error_Destroy(&done);
  throw std::runtime_error(message);
}

// XLA's, in the order of its stream: what is given back is taken again by later work alone.
class XlaMemory : public Memory {
 public:
  explicit XlaMemory(const XLA_FFI_CallFrame& frame) : frame_(frame) {}
  ~XlaMemory() override {
    for (auto [data, bytes] : taken_) {
      XLA_FFI_DeviceMemory_Free_Args args{XLA_FFI_DeviceMemory_Free_Args_STRUCT_SIZE, nullptr, frame_.ctx, bytes, data};
      try {
        check(frame_.api, frame_.api->XLA_FFI_DeviceMemory_Free(&args));
      } catch (const std::runtime_error&) {  // which a destructor cannot report
      }
    }
  }

 private:
  void* allocate(size_t bytes) override {
    XLA_FFI_DeviceMemory_Allocate_Args args{
        XLA_FFI_DeviceMemory_Allocate_Args_STRUCT_SIZE, nullptr, frame_.ctx, bytes, 64, nullptr};
    check(frame_.api, frame_.api->XLA_FFI_DeviceMemory_Allocate(&args));
    if (!args.data) throw std::bad_alloc();
    taken_.emplace_back(args.data, bytes);
    return args.data;
  }

  const XLA_FFI_CallFrame& frame_;
  std::vector<std::pair<void*, size_t>> taken_;
};

void* stream_of(const XLA_FFI_CallFrame& frame) {
  XLA_FFI_Stream_Get_Args args{XLA_FFI_Stream_Get_Args_STRUCT_SIZE, nullptr, frame.ctx, nullptr};
  check(frame.api, frame.api->XLA_FFI_Stream_Get(&args));
  return args.stream;
}

DLDevice gpu_of(const XLA_FFI_CallFrame& frame) {
  XLA_FFI_DeviceOrdinal_Get_Args args{XLA_FFI_DeviceOrdinal_Get_Args_STRUCT_SIZE, nullptr, frame.ctx, 0};
  check(frame.api, frame.api->XLA_FFI_DeviceOrdinal_Get(&args));
  return {kDLCUDA, args.device_ordinal};
}

// Whether XLA was told, before it started, to leave out what differs from run to run: it has no other word for that.
bool is_to_be_deterministic() {
  static const bool told = [] {
    const char* flags = std::getenv("XLA_FLAGS");
    for (const char* name : {"--xla_gpu_deterministic_ops", "--xla_gpu_exclude_nondeterministic_ops"}) {
      const char* at = flags ? std::strstr(flags, name) : nullptr;
      if (!at) continue;
      at += std::strlen(name);
      if (*at == 0 || std::isspace((unsigned char)*at) || std::strncmp(at, "=true", 5) == 0 || std::strncmp(at, "=1", 2) == 0)
        return true;
    }
    return false;
  }();
  return told;
}

XLA_FFI_Error* call(const XLA_FFI_CallFrame& frame, bool on_gpu) {
  Given given = given_of(frame.attrs);
  int64_t index = find(given.call);
  if (index < 0) return error_of(frame.api, XLA_FFI_Error_Code_NOT_FOUND, "no native call is named " + std::string(given.call));
  auto about = [&](const std::string& what) { return std::string(bindings()[index].op) + ": " + what; };
  Arguments arguments;
  try {
    read(given, frame, on_gpu ? gpu_of(frame) : kCPU, arguments);
    XlaMemory memory(frame);
    set_deterministic(is_to_be_deterministic());
    run_binding((size_t)index, arguments, on_gpu ? Caller{stream_of(frame), &memory} : Caller{});
  } catch (const std::invalid_argument& error) {
    return error_of(frame.api, XLA_FFI_Error_Code_INVALID_ARGUMENT, about(error.what()));
  } catch (const std::bad_alloc&) {
    return error_of(frame.api, XLA_FFI_Error_Code_RESOURCE_EXHAUSTED, about("out of memory"));
  } catch (const std::exception& error) {
    return error_of(frame.api, XLA_FFI_Error_Code_INTERNAL, about(error.what()));
  }
  if (arguments.warning.empty() || warn(about(arguments.warning))) return nullptr;
  return error_of(frame.api, XLA_FFI_Error_Code_FAILED_PRECONDITION, about(arguments.warning));
}

}  // namespace

namespace {

XLA_FFI_Error* run(XLA_FFI_CallFrame* frame, bool on_gpu) {
  // At registration XLA asks which version of its interface this was built for.
  if (frame->extension_start && frame->extension_start->type == XLA_FFI_Extension_Metadata) {
    XLA_FFI_Metadata& metadata = *((XLA_FFI_Metadata_Extension*)frame->extension_start)->metadata;
    metadata.api_version = {XLA_FFI_Api_Version_STRUCT_SIZE, nullptr, XLA_FFI_API_MAJOR, XLA_FFI_API_MINOR};
    metadata.traits = 0;
    return nullptr;
  }
  return call(*frame, on_gpu);
}

}  // namespace

XLA_FFI_Error* run_for_xla(XLA_FFI_CallFrame* frame) {
  return run(frame, false);
}

XLA_FFI_Error* run_for_xla_on_gpu(XLA_FFI_CallFrame* frame) {
  return run(frame, true);
}

}  // namespace intaglio
