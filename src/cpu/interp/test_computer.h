// For the tests of this folder: the interpreter on the small processor of system/test_processor.h,
// whose memory is mapped one to one.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "base/state_io.h"
#include "cpu/interp/interpreter.h"
#include "cpu/interp/system/test_processor.h"

namespace uchronia::cpu::interp {

using Bytes = std::initializer_list<u8>;

struct TestComputer : TestProcessor {
    TestComputer() : interpreter(mmu) { interpreter.add_vcpu(cpu); }

    // Loads code as a device would.
    void load_code(u64 address, const std::vector<u8>& code) {
        for (u64 i = 0; i < code.size(); ++i)
            store<u8>(address + i, code[i]);
    }
    void load_handler(u8 vector, const std::vector<u8>& code) {
        load_code(kHandler + 16u * vector, code);
    }
    // The page table entry of an address.
    static constexpr u64 entry_of(u64 address) {
        return kTables + 0x3000 + 8 * (address >> kPageBits);
    }

    RunResult run(u64 budget) { return interpreter.run(cpu, budget); }
    // Runs the code at `address` until it halts.
    RunResult run_from(u64 address) {
        cpu.state.rip = address;
        return run(1'000'000);
    }

    Digest digest() {
        const Digest parts[2] = {hash_of(cpu.state), digest_of(memory.bytes)};
        return digest_of({reinterpret_cast<const u8*>(parts), sizeof parts});
    }
    u64& gpr(Register r) { return cpu.state.gpr[r]; }

    Interpreter interpreter;
};

}  // namespace uchronia::cpu::interp
