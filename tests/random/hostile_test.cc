// Guests that try to reach the host's memory from translated code: with wild addresses, with the
// host's own addresses, through segment bases, across the ends of pages and of the canonical
// halves, with the stack pointer, and by writing over the code that runs (docs/decisions/0013).
//
// Every instruction is executed by both engines: the states must be equal, memory of the host that
// the guest aims at or that lies beside the guest's pages must not change, and no signal may
// escape.
#include <gtest/gtest.h>

#include <cstring>

#include "tests/random/generator.h"
#include "tests/random/layout.h"
#include "tests/random/ways.h"

namespace uchronia::random {
namespace {

constexpr u8 kCanary = 0xa7;
constexpr unsigned kLoops = 6;  // the first rounds are interpreted, the others not
constexpr u64 kTicks = 120;

struct Attack {
    const char* name;
    std::vector<u8> code;  // uses RBX (and RSP, which is the same)
};

// clang-format off
const Attack kAttacks[] = {
    {"load",           {0x48, 0x8b, 0x03}},                          // MOV RAX, [RBX]
    {"store",          {0x48, 0x89, 0x03}},                          // MOV [RBX], RAX
    {"store byte",     {0x88, 0x03}},
    {"load, displaced", {0x48, 0x8b, 0x83, 0xf0, 0xff, 0xff, 0x7f}},  // + 2 GiB
    {"store, displaced", {0x48, 0x89, 0x83, 0x00, 0x00, 0x00, 0x80}},
    {"store, indexed", {0x48, 0x89, 0x04, 0xdb}},                    // [RBX + 8 * RBX]
    {"store through FS", {0x64, 0x48, 0x89, 0x03}},
    {"store through GS", {0x65, 0x48, 0x89, 0x03}},
    {"modify",         {0x48, 0x01, 0x03}},                          // ADD [RBX], RAX
    {"exchange",       {0x48, 0x87, 0x03}},
    {"bit string",     {0x48, 0x0f, 0xab, 0x1b}},                    // BTS [RBX], RBX
    {"neighbours",     {0x48, 0x89, 0x43, 0xf8, 0x48, 0x89, 0x03, 0x48, 0x89, 0x43, 0x08}},
    {"vector store",   {0x0f, 0x11, 0x03}},
    {"aligned store",  {0x0f, 0x29, 0x03}},
    {"wide store",     {0xc5, 0xfe, 0x7f, 0x03}},
    {"push",           {0x48, 0x89, 0xdc, 0x50}},                    // MOV RSP, RBX; PUSH RAX
    {"pushes",         {0x48, 0x89, 0xdc, 0x50, 0x50, 0x50, 0x58, 0x58}},
    {"pop",            {0x48, 0x89, 0xdc, 0x58}},
    {"frame",          {0x48, 0x89, 0xdc, 0x48, 0x89, 0x44, 0x24, 0x18, 0x48, 0x89, 0x44, 0x24, 0xe0, 0x50}},
    {"call",           {0x48, 0x89, 0xdc, 0xe8, 0, 0, 0, 0}},
    {"return",         {0x48, 0x89, 0xdc, 0xc3}},
    {"leave",          {0x48, 0x89, 0xdd, 0xc9}},
    {"enter",          {0x48, 0x89, 0xdc, 0xc8, 0x20, 0, 0}},
    {"jump",           {0xff, 0xe3}},
    {"jump through",   {0xff, 0x23}},
    {"call through",   {0xff, 0x13}},
    {"moves",          {0x48, 0x89, 0xdf, 0x48, 0x89, 0xde, 0xb9, 0x40, 0, 0, 0, 0xf3, 0xa4}},
    {"fills",          {0x48, 0x89, 0xdf, 0xb9, 0x40, 0, 0, 0, 0xf3, 0x48, 0xab}},
    {"fills downward", {0xfd, 0x48, 0x89, 0xdf, 0xb9, 0x40, 0, 0, 0, 0xf3, 0x48, 0xab, 0xfc}},
    {"compare and exchange", {0x48, 0x0f, 0xc7, 0x0b}},              // CMPXCHG16B
    {"address of 32 bits", {0x67, 0x48, 0x89, 0x03}},
};
// clang-format on

class Hostile : public testing::Test {
  protected:
    Hostile() : outside_(1u << 16, kCanary) {
        // Frames of the same store, before and behind what the guest's pages become.
        for (unsigned i = 0; i < 256; ++i) {
            beside_.push_back(other_.frames().allocate());
            std::memset(beside_.back()->data, kCanary, kPageSize);
        }
    }
    ~Hostile() override {
        for (memory::Frame* frame : beside_)
            other_.frames().release(frame);
    }

    std::vector<u64> addresses() {
        const auto of = [](const void* pointer) { return reinterpret_cast<u64>(pointer); };
        std::vector<u64> result = {
            // The host's: a buffer, the frames, the vCPU with its tables, a local, code.
            of(outside_.data()) + 0x8000,
            of(beside_[0]->data),
            of(beside_[128]->data) + 0xffc,
            of(&other_.vcpu()),
            of(&other_.vcpu()) - 8,
            of(other_.vcpu().tables[0]),
            of(other_.vcpu().tables[1]),
            of(&result),
            of(kAttacks),
            of(other_.vcpu().translation.leave_stub),
            of(other_.vcpu().translation.jumps)};
        // Edges, of which some are mapped.
        for (const u64 edge :
             {u64{0}, u64{0x1000}, kLowEnd, kHigh, u64{1} << 63, ~u64{0}, kHigh * 2, u64{1} << 48,
              u64{0xffff} << 48, (page::kData + 1) << kPageBits,
              kHigh + ((page::kData + 15) << kPageBits), kAlias + (20 << kPageBits)}) {
            for (const i64 offset : {-33, -16, -8, -4, -1, 0, 1, 8, 31})
                result.push_back(edge + static_cast<u64>(offset));
        }
        return result;
    }

    // A loop around the attack; what faults goes to the handlers and comes back.
    Program make(const Attack& attack, u64 address, bool user) {
        Random random(7);
        Setting setting;
        setting.user = user;
        setting.piece_count = 1;
        Piece piece;
        piece.load(cpu::kRBX, address);
        piece.put(0x90);
        piece.bytes.insert(piece.bytes.end(), attack.code.begin(), attack.code.end());
        Program program;
        program.pieces.push_back(piece);
        program.fragments.push_back({page::kCode << kPageBits, 0, 1, 0});
        add_system(random, setting, program);
        cpu::CPUState& state = program.image.state;
        state.cr0 &= ~cpu::cr0::kTS;
        state.dr7 = 0x400;
        state.set_rflags(cpu::rflags::kFixed);
        for (const cpu::SegmentRegister segment : {cpu::kFS, cpu::kGS}) {
            cpu::Segment based = state.segments[segment];
            based.base = segment == cpu::kFS ? kLowEnd - 4 : (u64{1} << 63) + 8;
            state.set_segment(segment, based);
        }
        program.ticks = kTicks;
        program.interval = kTicks / kLoops;
        return program;
    }

    void expect_untouched() {
        for (const u8 byte : outside_)
            ASSERT_EQ(byte, kCanary);
        for (const memory::Frame* frame : beside_) {
            for (u64 i = 0; i < kPageSize; ++i)
                ASSERT_EQ(frame->data[i], kCanary);
        }
    }

    // Without a translator there is nothing to attack.
    bool translates() const {
        if (other_.missing_host_feature() != nullptr)
            RecordProperty("missing", other_.missing_host_feature());
        return other_.missing_host_feature() == nullptr;
    }

    std::vector<u8> outside_;
    Computer reference_, other_;
    std::vector<memory::Frame*> beside_;
};

TEST_F(Hostile, NoAttackReachesTheHost) {
    if (!translates())
        return;
    for (const bool user : {true, false}) {
        for (const Attack& attack : kAttacks) {
            for (const u64 address : addresses()) {
                const Program program = make(attack, address, user);
                const Mask mask(program.pieces.size(), true);
                const Subject subject{program, image_of(program, mask), 1};
                ASSERT_FALSE(differs(reference_, other_, subject, Way::kTranslator))
                    << attack.name << " at " << std::hex << address << " user " << user;
            }
            expect_untouched();
        }
    }
    EXPECT_GT(other_.translator()->counters().entries, 1000u);
}

// The code writes over itself: the instruction that runs, the next ones, and the block's beginning,
// through its own mapping and through another.
TEST_F(Hostile, CodeMayBeOverwrittenWhileItRuns) {
    if (!translates())
        return;
    for (const u64 alias : {u64{0}, kAlias - (page::kCode << kPageBits)}) {
        for (u64 offset = 0; offset < 48; ++offset) {
            for (const u64 value :
                 {u64{0x9090909090909090}, u64{0xc3c3c3c3c3c3c3c3}, u64{0x0b0f0b0f0b0f0b0f},
                  u64{0xfeebfeebfeebfeeb}, u64{0x010101c3ff48c0ff}}) {
                Piece piece;
                piece.load(cpu::kRAX, value);
                piece.bytes.insert(piece.bytes.end(), {0x48, 0x89, 0x03, 0x48, 0xff, 0xc1, 0x48,
                                                       0x01, 0xc8, 0x50, 0x58});
                const Attack attack{"overwrite", piece.bytes};
                const Program program =
                    make(attack, (page::kCode << kPageBits) + alias + offset, true);
                const Mask mask(program.pieces.size(), true);
                const Subject subject{program, image_of(program, mask), 1};
                ASSERT_FALSE(differs(reference_, other_, subject, Way::kTranslator))
                    << std::hex << value << " at " << offset << " alias " << alias;
            }
        }
    }
    expect_untouched();
}

}  // namespace
}  // namespace uchronia::random
