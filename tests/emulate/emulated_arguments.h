// SPDX-License-Identifier: MIT
#pragma once
#include <vector>

#include "../../native/door_arguments.h"
#include "device_memory.h"

namespace intaglio_emulate {

// The arrays of a call, moved to the emulated device while it lives; what has changed there is copied back.
class Moved {
 public:
  Moved(intaglio_door::Arguments& arguments, DeviceMemory& device) {
    arguments.for_each_array([&](DLTensor& tensor) {
      const intaglio_door::Array array(&tensor, "an array", tensor.device);
      const size_t bytes = (size_t)array.count() * tensor.dtype.bits / 8;
      Piece piece{&tensor, (char*)tensor.data + tensor.byte_offset, device.take(bytes), bytes, tensor.data, tensor.byte_offset};
      Opened opened;
      if (bytes) std::memcpy(piece.there, piece.here, bytes);
      tensor.data = piece.there, tensor.byte_offset = 0;
      pieces_.push_back(piece);
    });
  }
  ~Moved() {
    Opened opened;
    for (const Piece& piece : pieces_) {
      if (piece.bytes && std::memcmp(piece.here, piece.there, piece.bytes)) std::memcpy(piece.here, piece.there, piece.bytes);
      piece.tensor->data = piece.data, piece.tensor->byte_offset = piece.byte_offset;
    }
  }
  Moved(const Moved&) = delete;
  Moved& operator=(const Moved&) = delete;

 private:
  struct Piece {
    DLTensor* tensor;
    char *here, *there;
    size_t bytes;
    void* data;
    uint64_t byte_offset;
  };
  std::vector<Piece> pieces_;
};

}  // namespace intaglio_emulate
