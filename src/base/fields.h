// The one list of a component's guest-visible state.
//
// Each stateful component has one function `void fields(FieldVisitor& v)` that names every field
// that the guest can see, in a fixed order. Saving, loading, hashing and the field-by-field
// difference are four visitors over that list (base/state_io.h), so that no field can be saved and
// not hashed, or hashed and not restored.
//
// Rules: no host addresses, no caches, no counters that the guest cannot see. A variable-size field
// is visited as its element count first (v.count), which a loading visitor sets before the elements
// are visited.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/types.h"

namespace uchronia {

class FieldVisitor {
  public:
    virtual ~FieldVisitor() = default;

    // Opens and closes a named group; the names form the path that a difference is reported with.
    virtual void enter(std::string_view name) = 0;
    virtual void leave() = 0;

    // Raw bytes of one field. Integers are visited as their little-endian bytes.
    virtual void bytes(std::string_view name, void* data, std::size_t size) = 0;

    // The element count of a variable-size field; a loading visitor replaces `count` (at most
    // `maximum`; more is a corrupt file and reads as 0 with the visitor's error set).
    virtual void count(std::string_view name, u64& count, u64 maximum) = 0;

    template <class T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>) void operator()(std::string_view name,
                                                                         T& field) {
        bytes(name, &field, sizeof field);
    }

    // One byte; what a file may say beyond 0 and 1 is no bool.
    void operator()(std::string_view name, bool& field) {
        u8 value = field ? 1 : 0;
        bytes(name, &value, sizeof value);
        field = value != 0;
    }

    template <class Tag>
    void operator()(std::string_view name, Strong<Tag>& field) {
        bytes(name, &field.value, sizeof field.value);
    }

    template <class T, std::size_t N>
    requires(std::is_integral_v<T>) void operator()(std::string_view name,
                                                    std::array<T, N>& field) {
        bytes(name, field.data(), sizeof field);
    }

    void operator()(std::string_view name, std::string& field) {
        u64 n = field.size();
        count(name, n, kMaximumBytes);
        field.resize(n);
        bytes(name, field.data(), n);
    }

    template <class T>
    requires(std::is_integral_v<T>) void operator()(std::string_view name, std::vector<T>& field) {
        u64 n = field.size();
        count(name, n, kMaximumBytes / sizeof(T));
        field.resize(n);
        bytes(name, field.data(), n * sizeof(T));
    }

    // A component, or a vector of them, with a `fields` function of its own.
    template <class T>
    requires requires(T& t, FieldVisitor& v) { t.fields(v); }
    void operator()(std::string_view name, T& component) {
        enter(name);
        component.fields(*this);
        leave();
    }

    template <class T>
    requires requires(T& t, FieldVisitor& v) { t.fields(v); }
    void operator()(std::string_view name, std::vector<T>& components) {
        u64 n = components.size();
        count(name, n, kMaximumBytes / sizeof(T));
        components.resize(n);
        for (T& component : components)
            (*this)(name, component);
    }

  private:
    static constexpr u64 kMaximumBytes = u64{1} << 30;
};

}  // namespace uchronia
