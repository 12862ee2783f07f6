// What a file operation gives: a value, or the errno of the host.
//
// These numbers are Linux's, so that they can be given to a Linux guest as they are. An Error with
// a message for a person is base/result.h.
#pragma once

#include <cerrno>
#include <utility>

#include "base/check.h"

namespace uchronia::host {

struct FileError {
    int number;  // A positive errno.
};

template <class T>
class [[nodiscard]] FileResult {
  public:
    FileResult(T value) : value_(std::move(value)) {}      // NOLINT: implicit
    FileResult(FileError error) : error_(error.number) {}  // NOLINT: implicit

    bool ok() const { return error_ == 0; }
    // The errno, or 0.
    int error() const { return error_; }
    T& operator*() {
        CHECK(ok());
        return value_;
    }
    const T& operator*() const {
        CHECK(ok());
        return value_;
    }
    T* operator->() { return &**this; }
    const T* operator->() const { return &**this; }

  private:
    T value_{};
    int error_ = 0;
};

}  // namespace uchronia::host
