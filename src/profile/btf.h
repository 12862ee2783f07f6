// BTF, the description of its own types that a Linux kernel carries: where members lie in
// structures. The bytes may be anything.
//
// Source: the kernel's Documentation/bpf/btf.rst.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "profile/bytes.h"

namespace uchronia::profile {

class BTF {
  public:
    // A member in bits from the start of the structure that was asked for.
    struct Member {
        u64 bit_offset = 0;
        u64 bit_count = 0;  // 0: no bit field
    };

    // `bytes` must outlive the result.
    static Result<BTF> parse(Bytes bytes);

    // "mapping" or "core_layout.base"; what is in unnamed structures and unions inside is found
    // too.
    std::optional<Member> member(std::string_view structure, std::string_view path) const;
    // In bytes.
    std::optional<u64> offset_of(std::string_view structure, std::string_view path) const;
    std::optional<u64> size_of(std::string_view structure) const;

  private:
    struct Type {
        u32 name, info, size_or_type;
        u64 more;  // offset of what follows the common part
    };
    struct Found {
        Member member;
        u32 type;
    };

    std::string_view name_at(u32 offset) const { return text_at(texts_, offset); }
    const Type* type(u32 id) const { return id < types_.size() ? &types_[id] : nullptr; }
    const Type* structure_of(u32 id) const;
    const Type* find_structure(std::string_view name) const;
    std::optional<Found> find_member(const Type& structure, std::string_view name, unsigned depth,
                                     unsigned& steps) const;

    Bytes type_bytes_, texts_;
    std::vector<Type> types_;  // by id; 0 is void
    std::map<std::string_view, u32> structures_;
};

}  // namespace uchronia::profile
