// Operating errors as values: a Result is a T or an Error; a Status is success or an Error.
//
// An Error's message names the thing and the remedy and is shown to a person as it is. Guest faults
// are not Errors (they are values of the CPU), and broken invariants are not either (base/check.h).
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace uchronia {

struct Error {
    std::string message;
};

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
    Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

    bool ok() const { return content_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() { return std::get<0>(content_); }
    const T& value() const { return std::get<0>(content_); }
    T& operator*() { return value(); }
    const T& operator*() const { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    const Error& error() const { return std::get<1>(content_); }

  private:
    std::variant<T, Error> content_;
};

class [[nodiscard]] Status {
  public:
    Status() = default;
    Status(Error error) : error_(std::move(error)), failed_(true) {}  // NOLINT: implicit

    bool ok() const { return !failed_; }
    explicit operator bool() const { return ok(); }
    const Error& error() const { return error_; }

  private:
    Error error_;
    bool failed_ = false;
};

}  // namespace uchronia
