// The code that all translated code shares: the ways in and out.
#pragma once

#include <array>

#include "cpu/jit/code_store.h"

namespace uchronia::cpu {
class VCPU;
}

namespace uchronia::cpu::jit {

struct Stubs {
    // Runs translated code at `code` with the vCPU's state, until it leaves.
    using Enter = void (*)(VCPU* cpu, const void* code);
    Enter enter = nullptr;
    const void* leave = nullptr;
    const void* spill = nullptr;
    const void* lookup = nullptr;
    std::array<const void*, 3> cross{};
    const void* stack = nullptr;
    std::array<const void*, 8> strings{};
    const void* system_call = nullptr;
    const void* system_return = nullptr;
    std::array<const void*, 2> access{};  // CLAC, STAC
    const void* time = nullptr;
};

// What a site calls: the host address at which to go on, or 0 to return from `enter`.
using OnSite = u64 (*)(VCPU* cpu, u64 site);

// system_stubs.cc: adds those for changes of privilege.
void put_system_stubs(Assembler& out, Stubs& stubs);

// Writes the stubs to the start of the cold area.
Stubs make_stubs(CodeStore& store, OnSite on_site);

}  // namespace uchronia::cpu::jit
