// Every row of a family of VEX instructions against the host CPU: register and memory forms, all
// registers, results, flags, MXCSR, exceptions, alignment. Page faults are with the whole
// interpreter.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cpu/decode/decoder.h"
#include "cpu/interp/sse/float_unit.h"
#include "cpu/interp/test_support/family_rows.h"
#include "cpu/interp/test_support/host_cpu.h"
#include "cpu/interp/test_support/random_values.h"
#include "cpu/interp/test_support/vector_machine.h"

namespace uchronia::cpu::interp::test_support {

inline bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// A form of a row.
struct VEXCase {
    FamilyRow family;
    bool memory, wide;

    bool gathers() const { return has(family.row.name, "_vm"); }
    bool general_rm() const { return has(family.row.name, "_E") || has(family.row.name, "_Rd"); }
    bool general_reg() const { return has(family.row.name, "_G"); }
    bool sized() const {
        return has(family.row.name, "_Ey") || has(family.row.name, "_Gy") ||
               has(family.row.name, "VPCMPESTR");
    }
    bool has_vvvv() const { return has(family.row.name, "_H"); }
    bool has_modrm() const { return has(family.row.encoding, "/"); }
};

inline std::vector<VEXCase> vex_cases(const FamilyRows& rows) {
    std::vector<VEXCase> cases;
    for (const FamilyRow& f : rows) {
        if (f.row.host == HostPolicy::kApproximate || f.row.host == HostPolicy::kNaNChoice)
            continue;  // vendors differ
        for (const bool memory : {false, true}) {
            if (has(f.row.encoding, memory ? " reg" : " mem"))
                continue;
            for (const bool wide : {false, true}) {
                const VEXCase c{f, memory, wide};
                if ((!wide || c.sized()) && (!memory || c.has_modrm()))
                    cases.push_back(c);
            }
        }
    }
    return cases;
}

// The fields of one encoded instruction.
struct VEXFields {
    u8 reg, vvvv, rm, is4, scale, immediate;
    bool ignored;  // VEX.L and VEX.W where they are ignored
};

// VEX.<L>.<pp>.<map>.<W> <opcode> /r|/digit [mem|reg] [ib|is4] into bytes. Memory is [RDI], or
// [RDI + index * scale] with the register `rm` as the index.
inline std::vector<u8> encode(const VEXCase& c, const VEXFields& f) {
    std::istringstream words{std::string(c.family.row.encoding)};
    std::string vex, opcode, modrm;
    words >> vex >> opcode >> modrm;
    const u8 reg = modrm == "" || modrm == "/r" ? f.reg : static_cast<u8>(modrm[1] - '0');
    const u8 map = has(vex, ".0F38.") ? 2 : has(vex, ".0F3A.") ? 3 : 1;
    const u8 pp = has(vex, ".66.") ? 1 : has(vex, ".F3.") ? 2 : has(vex, ".F2.") ? 3 : 0;
    const bool w =
        has(vex, ".W1") || (has(vex, ".WIG") && (c.sized() || c.general_rm() ? c.wide : f.ignored));
    const bool l = has(vex, ".256.") || (has(vex, ".LIG.") && f.ignored);
    const bool b = !c.memory && f.rm >= 8, x = c.gathers() && f.rm >= 8;
    std::vector<u8> bytes = {0xc4};
    bytes.push_back(static_cast<u8>((reg < 8) << 7 | !x << 6 | !b << 5 | map));
    const u8 vvvv = c.has_vvvv() ? f.vvvv : 0;
    bytes.push_back(static_cast<u8>(w << 7 | (~vvvv & 15) << 3 | l << 2 | pp));
    bytes.push_back(static_cast<u8>(std::stoul(opcode, nullptr, 16)));
    const u8 rm = c.gathers() ? 4 : c.memory ? 7 : 0xc0 | (f.rm & 7);
    if (c.has_modrm())
        bytes.push_back(static_cast<u8>(rm | (reg & 7) << 3));
    if (c.gathers())
        bytes.push_back(static_cast<u8>(f.scale << 6 | (f.rm & 7) << 3 | 7));
    if (has(c.family.row.encoding, "is4"))
        bytes.push_back(static_cast<u8>(f.is4 << 4));
    else if (has(c.family.row.encoding, " ib"))
        bytes.push_back(f.immediate);
    return bytes;
}

class VEXNativeTest : public testing::Test {
  protected:
    explicit VEXNativeTest(u64 seed) : seed_(seed), random_(seed) {}

    // The operands that the family's instructions are tried with.
    virtual u64 random_quad() = 0;

    void compare_with_host(const FamilyRows& rows, int cases_per_form) {
        for (const VEXCase& c : vex_cases(rows)) {
            for (int i = 0; i < cases_per_form; ++i) {
                run_case(c, i);
                ASSERT_FALSE(HasFailure())
                    << c.family.row.name << (c.memory ? " memory" : " register")
                    << (c.wide ? " VEX.W" : "") << " case " << i << " of seed " << seed_;
            }
        }
    }

    const u64 seed_;
    std::mt19937_64 random_;

  private:
    static constexpr u64 kOperand = kPageSize / 2;
    static constexpr u64 kWindow = 1024;  // random bytes on each side of the operand

    u8 below(unsigned limit) { return static_cast<u8>(random_() % limit); }

    VEXFields random_fields(const VEXCase& c) {
        VEXFields f{
            below(16),         below(16),
            below(16),         below(16),
            below(4),          static_cast<u8>(random_() % 3 != 0 ? random_() : random_() % 32),
            random_() % 2 != 0};
        if (c.general_rm())
            f.rm = below(3);
        if (c.general_reg())
            f.reg = below(3);
        while (c.gathers() && (f.rm == f.reg || f.rm == f.vvvv || f.reg == f.vvvv)) {
            f.rm = below(16);
            f.vvvv = below(16);
        }
        return f;
    }

    // Indices that stay in the window.
    u64 random_index(const VEXCase& c) {
        const auto part = [&] { return static_cast<i64>(random_() % 64) - 32; };
        if (has(c.family.row.name, "_vm64"))
            return static_cast<u64>(part());
        return static_cast<u64>(part()) << 32 | static_cast<u32>(part());
    }

    // The same start for both sides.
    void prepare(const VEXCase& c, const VEXFields& f, int index, HostState& host) {
        CPUState& state = machine_.cpu.state;
        for (auto& vector : state.vectors)
            vector.q = {random_quad(), random_quad(), random_quad(), random_quad()};
        if (random_() % 4 == 0 && !c.general_rm())
            state.vectors[f.rm] = state.vectors[f.vvvv];
        if (c.gathers())
            state.vectors[f.rm].q = {random_index(c), random_index(c), random_index(c),
                                     random_index(c)};
        state.mxcsr =
            random_mxcsr(random_, index % 4 == 3 ? Exceptions::kAny : Exceptions::kMasked);
        for (unsigned r : {kRAX, kRCX, kRDX})
            state.gpr[r] = random_() % 2 != 0 ? random_quad() : random_() % 20;
        state.set_rflags(0x202 | (random_() & rflags::kArithmetic));
        for (u64 i = kOperand - kWindow; i < kOperand + kWindow; i += 8)
            reinterpret_cast<u64&>(host_memory_[i]) = random_quad();
        std::memcpy(machine_.memory, host_memory_, kPageSize);
        const u64 misalignment = index % 4 == 1 ? below(32) : 0;
        state.gpr[kRDI] = AVXMachine::kMemory + kOperand + misalignment;

        host.at<u32>(HostState::kMXCSR) = state.mxcsr;
        for (unsigned i = 0; i < 16; ++i)
            host.set_vector(i, state.vectors[i]);
        host.set_general(state);
        host.rdi = reinterpret_cast<u64>(host_memory_) + kOperand + misalignment;
    }

    // Whether PE is set beside an unmasked OE or UE: by Intel, not by AMD.
    static u32 compared_flags(const VEXCase& c, int number) {
        return number != 0 && has(c.family.row.name, "VCVTPS2PH") ? ~sse::mxcsr::kPE : ~0u;
    }

    void compare(const VEXCase& c, HostState& host, int number) {
        const CPUState& state = machine_.cpu.state;
        if (number == 0) {
            EXPECT_EQ(state.gpr[kRAX], host.rax);
            EXPECT_EQ(state.gpr[kRCX], host.rcx);
            EXPECT_EQ(state.gpr[kRDX], host.rdx);
            EXPECT_EQ(state.rflags() & rflags::kArithmetic, host.rflags & rflags::kArithmetic);
        }
        const u32 compared = compared_flags(c, number);
        EXPECT_EQ(state.mxcsr & compared, host.at<u32>(HostState::kMXCSR) & compared);
        EXPECT_EQ(std::memcmp(machine_.memory, host_memory_, kPageSize), 0);
        for (unsigned i = 0; i < 16; ++i)
            EXPECT_EQ(state.vectors[i].q, host.vector(i)) << "ymm" << i;
    }

    void run_case(const VEXCase& c, int index) {
        HostState host(HostState::kAVX);
        const VEXFields fields = random_fields(c);
        prepare(c, fields, index, host);
        const CPUState before = machine_.cpu.state;
        const std::vector<u8> instruction = encode(c, fields);
        std::vector<u8> bytes = instruction;
        bytes.resize(15);
        Decoded decoded;
        ASSERT_EQ(decode(bytes, CodeMode::k64, 0, decoded), DecodeStatus::kDone);
        ASSERT_EQ(row_of(decoded.instruction).name, c.family.row.name);
        const int number = host_.run(host, instruction);
        machine_.run(*c.family.handlers, decoded);
        ASSERT_EQ(machine_.cpu.exit, number == 0 ? Exit::kNone : Exit::kFault)
            << "signal " << number;
        if (number != 0) {
            ASSERT_EQ(machine_.cpu.fault.vector, vector_of_signal(number));
        }
        compare(c, host, number);
        if (HasFailure())
            show(before, fields, number);
    }

    static void show(const CPUState& before, const VEXFields& fields, int number) {
        const auto show_vector = [&](const char* what, u8 r) {
            const auto& q = before.vectors[r].q;
            std::ostringstream text;
            text << std::hex << q[3] << ' ' << q[2] << ' ' << q[1] << ' ' << q[0];
            ADD_FAILURE() << what << " = " << text.str();
        };
        show_vector("reg", fields.reg);
        show_vector("vvvv", fields.vvvv);
        show_vector("rm", fields.rm);
        ADD_FAILURE() << "MXCSR was " << std::hex << before.mxcsr << ", signal " << number;
    }

    HostCPU host_;
    alignas(64) u8 host_memory_[kPageSize] = {};
    AVXMachine machine_;
};

}  // namespace uchronia::cpu::interp::test_support
