// SPDX-License-Identifier: MIT
// What passes between doors and bindings (bind.h).
#pragma once
#include <vector>

#include "array.h"

namespace intaglio_door {

// The arguments of a call, in order: arrays, numbers, and nothing where None was given or an output is not wanted.
class Arguments {
 public:
  void add() { grown().kind = Kind::kNothing; }
  void add(double number) {
    Argument& argument = grown();
    argument.kind = Kind::kNumber;
    argument.number = number;
  }
  // For the door to fill.
  DLTensor& add_array() {
    Argument& argument = grown();
    argument.kind = Kind::kArray;
    return argument.tensor;
  }

  Array operator()(const char* name) {
    const Argument& argument = following(name);
    if (argument.kind == Kind::kNumber) throw std::invalid_argument(std::string(name) + " must be an array");
    return Array(argument.kind == Kind::kArray ? &argument.tensor : nullptr, name, device());
  }
  double number(const char* name) {
    const Argument& argument = following(name);
    if (argument.kind != Kind::kNumber) throw std::invalid_argument(std::string(name) + " must be a number");
    return argument.number;
  }
  int64_t integer(const char* name) { return (int64_t)number(name); }
  bool flag(const char* name) { return number(name) != 0; }
  // Past arguments that only the shapes of the outputs depend on.
  void skip(int count) { at_ += count; }

  template <class Visit>
  void for_each_array(const Visit& visit) {
    for (int i = 0; i < size_; ++i)
      if (arguments_[i].kind == Kind::kArray) visit(arguments_[i].tensor);
  }

  // Where the first array is, and all others must be.
  DLDevice device() const {
    for (int i = 0; i < size_; ++i)
      if (arguments_[i].kind == Kind::kArray) return arguments_[i].tensor.device;
    return kCPU;
  }

  // What the caller should hear though the call went well; nothing if empty.
  std::string warning;

 private:
  enum class Kind { kNothing, kNumber, kArray };
  struct Argument {
    Kind kind;
    union {
      double number;
      DLTensor tensor;
    };
  };
  static constexpr int kMost = 24;

  Argument& grown() {
    if (size_ == kMost) throw std::invalid_argument("has too many arguments");
    return arguments_[size_++];
  }
  const Argument& following(const char* name) {
    if (at_ >= size_) throw std::invalid_argument(std::string(name) + " is missing");
    return arguments_[at_++];
  }

  Argument arguments_[kMost];
  int size_ = 0, at_ = 0;
};

// A native call.
struct Binding {
  const char* name;
  const char* op;  // what the user called: messages begin with it
  void (*run)(Arguments& next);
};

using Bindings = std::vector<Binding>;

}  // namespace intaglio_door
