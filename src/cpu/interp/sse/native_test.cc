// Every row of the family against the host CPU: register and memory forms, results, flags, MXCSR,
// x87 tags, faults.
//
// Not compared: RCPPS and relatives (approximate_test.cc), dot products (nan_choice_test.cc), and
// the x87 state after CVTPI2PS and CVTPI2PD with a memory operand, where vendors differ.
#include <gtest/gtest.h>

#include <random>
#include <sstream>

#include "cpu/decode/decoder.h"
#include "cpu/interp/test_support/family_rows.h"
#include "cpu/interp/test_support/host_cpu.h"
#include "cpu/interp/test_support/random_values.h"
#include "cpu/interp/test_support/vector_machine.h"

namespace uchronia::cpu::interp::sse {
namespace {

using namespace test_support;

constexpr u64 kSeed = 20240611;
constexpr int kCasesPerForm = 200;

struct Case {
    InstructionRow row;
    const HandlerSet* handlers;
    bool memory, wide;
    std::vector<u8> bytes;
};

// The bytes of a row, with ModRM.reg = 1 and rm = 2 or [RDI]. The immediate comes last.
std::vector<u8> encode(const InstructionRow& row, bool memory, bool wide) {
    std::vector<u8> bytes;
    std::istringstream words{std::string(row.encoding)};
    std::string word;
    u8 reg = 1;
    bool modrm = false, immediate = false, opcode = false;
    while (words >> word) {
        if (word == "NP" || word == "reg" || word == "mem")
            continue;
        if (word[0] == '/') {
            modrm = true;
            if (word[1] != 'r')
                reg = static_cast<u8>(word[1] - '0');
        } else if (word == "ib") {
            immediate = true;
        } else {
            const u8 byte = static_cast<u8>(std::stoul(word, nullptr, 16));
            if (byte == 0x0f && !opcode) {
                if (wide)
                    bytes.push_back(0x48);
                opcode = true;
            }
            bytes.push_back(byte);
        }
    }
    if (modrm)
        bytes.push_back(static_cast<u8>((memory ? 0x07 : 0xc2) | (reg << 3)));
    if (immediate)
        bytes.push_back(0);
    return bytes;
}

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const FamilyRow& f : rows::mmx_sse()) {
        const std::string name(f.row.name), encoding = " " + std::string(f.row.encoding) + " ";
        if (f.row.host == HostPolicy::kApproximate || f.row.host == HostPolicy::kNaNChoice)
            continue;
        for (const bool memory : {false, true}) {
            if (encoding.find(memory ? " reg " : " mem ") != std::string::npos ||
                (memory && encoding.find("/") == std::string::npos))
                continue;
            for (const bool wide : {false, true}) {
                const bool sized = name.find("Ey") != std::string::npos ||
                                   name.find("Gy") != std::string::npos ||
                                   name.find("PCMPESTR") == 0;
                if (wide && !sized)
                    continue;
                cases.push_back({f.row, f.handlers, memory, wide, encode(f.row, memory, wide)});
            }
        }
    }
    return cases;
}

class NativeTest : public testing::Test {
  protected:
    HostCPU host_;
    std::mt19937_64 random_{kSeed};
    VectorMachine machine_;

    u64 random_quad() {
        switch (random_() % 5) {
            case 0:
                return random_();
            case 1:
                return random_() % 70;
            case 2:
                return random_double(random_);
            case 3:
                return random_() & 0x01017f80ff00ff00;
            default:
                return random_singles(random_);
        }
    }

    // The same start for both sides.
    void prepare(HostState& host, u8* host_memory, Exceptions exceptions) {
        CPUState& state = machine_.cpu.state;
        for (auto& vector : state.vectors)
            vector.q = {random_quad(), random_quad(), random_(), random_()};
        state.mxcsr = random_mxcsr(random_, exceptions);
        state.x87 = X87State{};
        state.x87.status = static_cast<u16>((random_() & 7) << 11);
        state.x87.empty = static_cast<u8>(random_());
        for (auto& r : state.x87.registers)
            r = {random_quad(), static_cast<u16>(random_())};
        for (unsigned r : {kRAX, kRCX, kRDX})
            state.gpr[r] = random_() % 2 != 0 ? random_quad() : random_() % 20;
        state.set_rflags(0x202 | (random_() & rflags::kArithmetic));
        for (unsigned i = 0; i < 4; ++i)
            reinterpret_cast<u64*>(host_memory)[i] = random_quad();
        std::memcpy(machine_.memory, host_memory, 32);

        host.set_general(state);
        host.at<u16>(HostState::kControl) = state.x87.control;
        host.at<u16>(HostState::kStatus) = state.x87.status;
        host.at<u8>(HostState::kTags) = static_cast<u8>(~state.x87.empty);
        host.at<u32>(HostState::kMXCSR) = state.mxcsr;
        for (unsigned i = 0; i < 8; ++i) {
            const auto& r = state.x87.registers[(i + state.x87.top()) & 7];
            host.at<u64>(HostState::kST + 16 * i) = r.mantissa;
            host.at<u16>(HostState::kST + 16 * i + 8) = r.exponent;
        }
        for (unsigned i = 0; i < 16; ++i)
            host.set_vector(i, state.vectors[i]);
    }

    void compare(const Case& c, HostState& host, const u8* host_memory) {
        const CPUState& state = machine_.cpu.state;
        EXPECT_EQ(state.gpr[kRAX], host.rax);
        EXPECT_EQ(state.gpr[kRCX], host.rcx);
        EXPECT_EQ(state.gpr[kRDX], host.rdx);
        EXPECT_EQ(state.rflags() & rflags::kArithmetic, host.rflags & rflags::kArithmetic);
        EXPECT_EQ(std::memcmp(machine_.memory, host_memory, 32), 0);
        for (unsigned i = 0; i < 16; ++i) {
            EXPECT_EQ(state.vectors[i].q[0], host.vector(i)[0]) << "xmm" << i;
            EXPECT_EQ(state.vectors[i].q[1], host.vector(i)[1]) << "xmm" << i;
        }
        if (c.memory && c.row.name.substr(0, 6) == "CVTPI2")
            return;
        const unsigned top = (host.at<u16>(HostState::kStatus) >> 11) & 7;
        EXPECT_EQ(state.x87.top(), top);
        EXPECT_EQ(state.x87.empty, static_cast<u8>(~host.at<u8>(HostState::kTags)));
        for (unsigned i = 0; i < 8; ++i) {
            const auto& r = state.x87.registers[(i + top) & 7];
            EXPECT_EQ(r.mantissa, host.at<u64>(HostState::kST + 16 * i)) << "st" << i;
            EXPECT_EQ(r.exponent, host.at<u16>(HostState::kST + 16 * i + 8)) << "st" << i;
        }
    }

    void run_case(const Case& c, int index) {
        alignas(16) u8 host_memory[32];
        HostState host(HostState::kLegacy);
        prepare(host, host_memory, index % 4 == 3 ? Exceptions::kAny : Exceptions::kMasked);
        std::vector<u8> instruction = c.bytes;
        if (c.row.encoding.ends_with("ib"))
            instruction.back() = static_cast<u8>(random_() % 3 != 0 ? random_() : random_() % 16);
        const u64 misalignment = index % 16 == 15 ? 4 : 0;
        machine_.cpu.state.gpr[kRDI] = VectorMachine::kMemory + misalignment;
        host.rdi = reinterpret_cast<u64>(host_memory + misalignment);

        Decoded decoded;
        std::vector<u8> bytes = instruction;
        bytes.resize(15);
        ASSERT_EQ(decode(bytes, CodeMode::k64, 0, decoded), DecodeStatus::kDone);
        ASSERT_EQ(row_of(decoded.instruction).name, c.row.name);
        const u32 before = machine_.cpu.state.mxcsr;
        const int number = host_.run(host, instruction);
        machine_.run(*c.handlers, decoded);
        ASSERT_EQ(machine_.cpu.exit, number == 0 ? Exit::kNone : Exit::kFault)
            << "signal " << number;
        if (number != 0) {
            ASSERT_EQ(machine_.cpu.fault.vector, vector_of_signal(number));
        }
        EXPECT_EQ(machine_.cpu.state.mxcsr, host.at<u32>(HostState::kMXCSR))
            << "before: " << before;
        compare(c, host, host_memory);
    }
};

TEST_F(NativeTest, EveryRowAgreesWithTheHost) {
    for (const Case& c : all_cases()) {
        for (int i = 0; i < kCasesPerForm; ++i) {
            run_case(c, i);
            ASSERT_FALSE(HasFailure())
                << c.row.name << (c.memory ? " memory" : " register") << (c.wide ? " REX.W" : "")
                << " case " << i << " of seed " << kSeed;
        }
    }
}

}  // namespace
}  // namespace uchronia::cpu::interp::sse
