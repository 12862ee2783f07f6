// The four visitors over a component's field list: save, load, hash and difference.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/hash.h"
#include "base/result.h"

namespace uchronia {

// Appends every field to a byte string: the canonical serialisation (little-endian, no padding).
class SavingVisitor final : public FieldVisitor {
  public:
    void enter(std::string_view) override {}
    void leave() override {}
    void bytes(std::string_view name, void* data, std::size_t size) override;
    void count(std::string_view name, u64& count, u64 maximum) override;

    const std::vector<u8>& saved() const { return saved_; }
    std::vector<u8> take() { return std::move(saved_); }

  private:
    std::vector<u8> saved_;
};

// Fills every field from a byte string. After the visit, status() tells whether it fitted exactly;
// if not, the component's fields are unspecified but valid to destroy.
class LoadingVisitor final : public FieldVisitor {
  public:
    explicit LoadingVisitor(std::span<const u8> saved) : rest_(saved) {}
    void enter(std::string_view name) override;
    void leave() override;
    void bytes(std::string_view name, void* data, std::size_t size) override;
    void count(std::string_view name, u64& count, u64 maximum) override;

    // Ok if every byte was used and none was missing.
    Status status() const;

  private:
    void fail(std::string_view name, const char* why);

    std::span<const u8> rest_;
    std::vector<std::string> path_;
    std::string failure_;
};

// One leaf of the state with the path of its name, for field-by-field difference.
struct FieldValue {
    std::string path;
    std::vector<u8> bytes;
};

// Lists every leaf with its path.
class ListingVisitor final : public FieldVisitor {
  public:
    void enter(std::string_view name) override;
    void leave() override;
    void bytes(std::string_view name, void* data, std::size_t size) override;
    void count(std::string_view name, u64& count, u64 maximum) override;

    const std::vector<FieldValue>& values() const { return values_; }

  private:
    std::string path_to(std::string_view name) const;

    std::vector<std::string> path_;
    std::vector<FieldValue> values_;
};

// A field whose values differ. Numbers are shown as such, and other bytes in their order: of many,
// some from the first one on that differs, at `offset`.
struct FieldDifference {
    std::string path;
    std::string a, b;  // hexadecimal
    u64 offset = 0;
};

// In the order of the list. Where other fields follow in one of them, the last difference says so.
std::vector<FieldDifference> differences_of(const std::vector<FieldValue>& a,
                                            const std::vector<FieldValue>& b);

// The paths whose values differ, each as "path: AA.. != BB..", in the order of the list.
std::vector<std::string> differing_fields(const std::vector<FieldValue>& a,
                                          const std::vector<FieldValue>& b);

// The digest of a component's canonical serialisation.
template <class Component>
Digest hash_of(Component& component) {
    SavingVisitor saving;
    component.fields(saving);
    return digest_of(saving.saved());
}

}  // namespace uchronia
