// An open file of the host, closed with its owner.
#pragma once

#include <span>
#include <utility>

#include "base/types.h"
#include "host/file_result.h"

namespace uchronia::host {

class FileDescriptor {
  public:
    FileDescriptor() = default;
    // Owns `number`, or nothing if it is negative.
    explicit FileDescriptor(int number) : number_(number) {}
    FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~FileDescriptor();

    explicit operator bool() const { return number_ >= 0; }
    int number() const { return number_; }
    // Gives the number away; the caller closes it.
    int release() { return std::exchange(number_, -1); }

  private:
    int number_ = -1;
};

// Fills `bytes` from `offset` of a file; less only at the file's end.
FileResult<u64> read_at(const FileDescriptor& file, u64 offset, std::span<u8> bytes);

}  // namespace uchronia::host
