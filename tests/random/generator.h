// Makes random programs: a pure function of the seed and the number of the case.
#pragma once

#include "tests/random/program.h"

namespace uchronia::random {

enum class Privileges : u8 {
    kOne,    // mostly one privilege level, with some interrupts
    kMixed,  // SYSCALL, SYSRET, IRET, INT and interrupts all the time
};

Program make_program(u64 seed, u64 number, Privileges privileges);

// What the parts of the generator share.
struct Setting {
    bool user = false;
    bool mixed = false;
    bool tables_for_user = false;  // page tables are mapped for the user, who writes to them
    u32 piece_count = 0;
    u32 index = 0;           // of the piece that is being made
    u32 system_percent = 0;  // of instructions and idioms that change the system's state
};

// A piece to branch to: often a near one.
u32 any_target(Random& random, const Setting& setting);

class Addresses {
  public:
    Addresses(Random& random, const Setting& setting) : random_(random), setting_(setting) {}

    // Of data: mostly mapped, often near the end of a page, sometimes wild.
    u64 data();
    // Mapped and writable as long as nobody changes that, in the low half.
    u64 good();
    // An offset of good data that a RIP-relative operand reaches in either half.
    u64 near();
    // Nobody's: not canonical, at the boundaries, not mapped.
    u64 wild();
    // Of a page table entry, in the upper half or (if it may) the lower.
    u64 table_entry();
    u64 page_offset();

  private:
    Random& random_;
    const Setting& setting_;
};

// instructions.cc: one instruction of a random row, with what its operands need before it.
Piece make_instruction(Random& random, const Setting& setting);
// The same of rows whose names begin with one of these.
Piece make_instruction_of(Random& random, const Setting& setting,
                          std::initializer_list<const char*> names, bool memory);
// idioms.cc: a few instructions that mean something together.
Piece make_idiom(Random& random, const Setting& setting);

// system.cc: page tables, descriptors, handlers, data and the initial state.
void add_system(Random& random, const Setting& setting, Program& program);

}  // namespace uchronia::random
