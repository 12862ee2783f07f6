// A few instructions that mean something together: what translators get wrong.
#include "tests/random/generator.h"
#include "tests/random/layout.h"

namespace uchronia::random {

using namespace cpu;

namespace {

class Idioms {
  public:
    Idioms(Random& random, const Setting& setting)
        : random_(random), setting_(setting), addresses_(random, setting) {}

    Piece make() {
        const u32 choice = random_.below(100);
        if (choice < setting_.system_percent)
            make_system();
        else
            make_usual();
        return std::move(piece_);
    }

  private:
    using Function = void (Idioms::*)();

    void make_usual() {
        static constexpr Function kUsual[] = {
            &Idioms::flags,        &Idioms::flags,       &Idioms::flags,      &Idioms::flags,
            &Idioms::branch,       &Idioms::branch,      &Idioms::branch,     &Idioms::branch,
            &Idioms::loop,         &Idioms::loop,        &Idioms::call,       &Idioms::call,
            &Idioms::indirect,     &Idioms::indirect,    &Idioms::stack,      &Idioms::stack,
            &Idioms::stack_game,   &Idioms::good_stack,  &Idioms::good_stack, &Idioms::self_modify,
            &Idioms::self_modify,  &Idioms::self_modify, &Idioms::registers,  &Idioms::registers,
            &Idioms::random_bytes, &Idioms::mxcsr,       &Idioms::chase,      &Idioms::table_edit,
            &Idioms::far_jump,     &Idioms::neighbours,  &Idioms::neighbours, &Idioms::neighbours,
            &Idioms::frame,        &Idioms::frame,       &Idioms::frame,      &Idioms::strings,
            &Idioms::strings};
        (this->*random_.pick(kUsual))();
    }

    void make_system() {
        static constexpr Function kSystem[] = {
            &Idioms::enter_kernel, &Idioms::enter_kernel, &Idioms::enter_user,
            &Idioms::enter_user,   &Idioms::access_check, &Idioms::trap_flag,
            &Idioms::breakpoint,   &Idioms::table_edit,   &Idioms::table_edit,
            &Idioms::control,      &Idioms::segment_base, &Idioms::flags_register,
            &Idioms::reload_root,  &Idioms::interrupts};
        (this->*random_.pick(kSystem))();
    }

    void append(const Piece& other) {
        const u8 base = static_cast<u8>(piece_.bytes.size());
        if (base + other.bytes.size() > 200)
            return;
        for (Hole hole : other.holes) {
            hole.at = static_cast<u8>(hole.at + base);
            hole.end = static_cast<u8>(hole.end + base);
            piece_.holes.push_back(hole);
        }
        piece_.bytes.insert(piece_.bytes.end(), other.bytes.begin(), other.bytes.end());
    }
    void instruction(std::initializer_list<const char*> names, bool memory) {
        append(make_instruction_of(random_, setting_, names, memory));
    }
    u32 target() { return any_target(random_, setting_); }
    u64 bias() { return setting_.user ? 0 : kHigh; }
    // A place to jump to: a piece, mostly its beginning, in one of the halves or through an alias.
    u64 place_bias() {
        if (random_.percent(75))
            return bias();
        static constexpr u64 kBiases[] = {0,           0, 1, 2, 5, kHigh, kHigh + 1, u64{1} << 47,
                                          u64{1} << 63};
        return random_.pick(kBiases);
    }
    unsigned scratch() {
        static constexpr u8 kChoices[] = {kRAX, kRCX, kRBX, kRSI, kR8, kR10, kR11, kR13, kRBP};
        return random_.pick(kChoices);
    }
    // An instruction with [RIP + data]: opcode bytes, then ModRM.
    void at_data(std::initializer_list<u8> opcode, unsigned reg, u64 data) {
        piece_.put(opcode);
        piece_.rip_operand(reg, data);
    }

    // Writer, something that may clobber or fault, reader.
    void flags() {
        const bool memory = random_.percent(30);
        instruction(
            {"ADD_",     "SUB_", "CMP_", "TEST_", "INC_", "DEC_", "NEG_", "SHL_",   "SHR_",  "SAR_",
             "AND_",     "XOR_", "OR_",  "BT_",   "ADC_", "SBB_", "ROL_", "MUL_",   "IMUL_", "XADD",
             "CMPXCHG_", "BSF_", "SHLD", "ANDN",  "BLSR", "STC",  "CLC",  "POPCNT", "RCR_"},
            memory);
        for (u32 count = random_.below(3); count != 0; --count) {
            if (random_.percent(70))
                instruction({"MOV_Gv_Ev", "MOV_Ev_Gv", "MOV_Eb_Gb", "PUSH_Z", "POP_Z", "MOVZX",
                             "LEA_", "MOV_Ev_Iz", "NOT_", "BSWAP", "XCHG_E", "SHLX", "RORX",
                             "MOVS_", "LODS_", "LEAVE", "PUSH_E"},
                            random_.percent(80));
            else
                instruction({"INC_", "DEC_", "ROL_", "CMC", "SHL_", "BTS_"}, random_.percent(40));
        }
        const u32 readers = 1 + random_.below(3);
        for (u32 i = 0; i < readers; ++i) {
            if (random_.percent(40)) {
                branch();
                continue;
            }
            instruction({"SET", "CMOV", "ADC_", "SBB_", "RCL_", "RCR_", "LAHF", "CMC", "PUSHF",
                         "SETL", "SETO", "LOOPZ", "CMOVO", "CMOVP"},
                        random_.percent(40));
        }
    }

    void branch() {
        const u32 to = target();
        switch (random_.below(5)) {
            case 0:
                piece_.put(0xe9);
                piece_.hole(Hole::Kind::kRelative, 4, to,
                            random_.percent(6) ? random_.below(8) : 0);
                break;
            case 1:
                piece_.put(0x70 + random_.below(16));
                piece_.hole(Hole::Kind::kRelative, 1, (setting_.index + random_.below(4)), 0);
                break;
            default:
                piece_.put({0x0f, static_cast<u8>(0x80 + random_.below(16))});
                piece_.hole(Hole::Kind::kRelative, 4, to,
                            random_.percent(4) ? random_.below(8) : 0);
                break;
        }
        piece_.end_instruction();
    }

    // Backwards while a counter in memory or a register is not zero.
    void loop() {
        const u32 back = setting_.index < 6 ? 0 : setting_.index - random_.below(6);
        switch (random_.below(4)) {
            case 0:
                at_data({0xff}, 1, addresses_.near() & ~u64{3});  // DEC dword
                break;
            case 1:
                piece_.put({0xff, 0xc9});  // DEC ECX
                break;
            case 2:
                piece_.put({0x49, 0xff, 0xca});  // DEC R10
                break;
            default:
                piece_.put({0x48, 0x83, 0xed, 0x01});  // SUB RBP, 1
                break;
        }
        piece_.end_instruction();
        piece_.put({0x0f, static_cast<u8>(random_.percent(70) ? 0x85 : 0x80 + random_.below(16))});
        piece_.hole(Hole::Kind::kRelative, 4, back, 0);
        piece_.end_instruction();
    }

    void call() {
        switch (random_.below(5)) {
            case 0:
                piece_.put(0xc3);
                break;
            case 1:
                piece_.put({0xc2, static_cast<u8>(8 * random_.below(4)), 0});
                break;
            default:
                piece_.put(0xe8);
                piece_.hole(Hole::Kind::kRelative, 4, target(), 0);
                break;
        }
        piece_.end_instruction();
    }

    void indirect() {
        const unsigned reg = scratch();
        piece_.load_place(reg, target(), place_bias());
        switch (random_.below(4)) {
            case 0:  // push; RET
                if (reg >= 8)
                    piece_.put(0x41);
                piece_.put({static_cast<u8>(0x50 | (reg & 7)), 0xc3});
                break;
            case 1: {  // through memory
                const u64 data = addresses_.near();
                piece_.put(reg >= 8 ? 0x4c : 0x48);
                at_data({0x89}, reg, data);
                piece_.end_instruction();
                at_data({0xff}, random_.percent(50) ? 2 : 4, data);
                break;
            }
            default:
                if (reg >= 8)
                    piece_.put(0x41);
                piece_.put(
                    {0xff, static_cast<u8>((random_.percent(50) ? 0xd0 : 0xe0) | (reg & 7))});
                break;
        }
        piece_.end_instruction();
    }

    // Accesses at one base (and index) with different displacements, as translators join them.
    void neighbours() {
        static constexpr u8 kOpcodes[] = {0x8b, 0x89, 0x03, 0x01, 0x39, 0x3b, 0x31, 0x8a,
                                          0x88, 0x00, 0x63, 0x21, 0x85, 0x87, 0x2b, 0x3a};
        static constexpr u8 kLong[] = {0xb6, 0xaf, 0x10, 0x11, 0x28, 0x29, 0xc1, 0xb1, 0xbf};
        const unsigned base = random_.below(16);
        const unsigned index = random_.below(16);
        const bool indexed = random_.percent(25) && index != kRSP && index != base;
        const unsigned scale = random_.below(4);
        if (base == kRSP)
            return;
        u64 target = random_.percent(60) ? (addresses_.data() | 0xfff) - random_.below(80)
                                         : addresses_.data();
        if (indexed) {
            const u64 value = random_.below(64);
            piece_.load(index, value);
            target -= value << scale;
        }
        piece_.load(base, target);
        for (u32 count = 2 + random_.below(5); count != 0; --count) {
            if (random_.percent(20)) {
                instruction({"MOV_Gv_Ev", "ADD_Gv", "LEA_", "SHL_", "SHLX", "ADC_", "IMUL_Gv"},
                            false);
                continue;
            }
            const unsigned reg = random_.below(16);
            piece_.put(0x40 | (random_.percent(50) ? 8 : 0) | (reg >= 8 ? 4 : 0) |
                       (indexed && index >= 8 ? 2 : 0) | (base >= 8 ? 1 : 0));
            if (random_.percent(35))
                piece_.put({0x0f, random_.pick(kLong)});
            else
                piece_.put(random_.pick(kOpcodes));
            const bool wide = random_.percent(20);
            const unsigned mod = wide ? 0x80 : 0x40;
            if (indexed || (base & 7) == 4) {
                piece_.put(mod | (reg & 7) << 3 | 4);
                piece_.put(scale << 6 | (indexed ? index & 7 : 4) << 3 | (base & 7));
            } else {
                piece_.put(mod | (reg & 7) << 3 | (base & 7));
            }
            const u64 displacement = static_cast<u64>(static_cast<i64>(random_.below(96)) - 48);
            piece_.put(wide ? displacement * 7 : displacement, wide ? 4 : 1);
        }
    }

    // What functions do with their frames, also near the ends of pages.
    void frame() {
        const u64 place =
            random_.percent(40) ? 0xfff - random_.below(96) : 0x400 + random_.below(64);
        if (random_.percent(70))
            piece_.load(kRSP, (setting_.user ? 0 : kHigh) +
                                  ((page::kStack + random_.below(2)) << kPageBits) +
                                  (random_.percent(80) ? place & ~u64{7} : place));
        for (u32 count = 3 + random_.below(8); count != 0; --count) {
            const u8 reg = static_cast<u8>(random_.below(8));
            const u8 offset =
                static_cast<u8>(8 * random_.below(12) - (random_.percent(30) ? 40 : 0));
            switch (random_.below(9)) {
                case 0:
                case 1:
                    piece_.put(0x50 | reg);
                    break;
                case 2:
                    piece_.put(0x58 | (reg == kRSP && random_.percent(90) ? u8{kRAX} : reg));
                    break;
                case 3:
                    piece_.put({0x48, 0x89, static_cast<u8>(0x44 | reg << 3), 0x24, offset});
                    break;
                case 4:
                    piece_.put({0x4c, 0x8b, static_cast<u8>(0x44 | reg << 3), 0x24, offset});
                    break;
                case 5:
                    piece_.put(
                        {0x48, 0x83, static_cast<u8>(random_.percent(50) ? 0xc4 : 0xec), offset});
                    break;
                case 6:
                    piece_.put({0x48, 0x8d, 0x64, 0x24, offset});
                    break;
                case 7:
                    piece_.put({0x83, 0x44, 0x24, offset, 1});  // ADD dword [RSP + x], 1
                    break;
                default:
                    instruction({"ADC_", "MOV_Gv_Ev", "PUSH_E", "CMP_"}, random_.percent(50));
                    break;
            }
        }
        if (random_.percent(30))
            call();
    }

    // Moves and fills, also overlapping, across pages, and into code.
    void strings() {
        const u64 source = random_.percent(50) ? (addresses_.data() | 0xfff) - random_.below(64)
                                               : addresses_.data();
        piece_.load(kRSI, source);
        if (random_.percent(15))
            piece_.load_place(kRDI, target(), bias() + random_.below(8));
        else
            piece_.load(kRDI,
                        random_.percent(40) ? source - 20 + random_.below(40) : addresses_.data());
        piece_.load(kRCX, random_.percent(80) ? random_.below(64) : random_.below(2000));
        if (random_.percent(20))
            instruction({"CMP_", "ADD_", "DEC_"}, false);
        if (random_.percent(80))
            piece_.put(random_.percent(70) ? 0xf3 : 0xf2);
        if (random_.percent(25))
            piece_.put(random_.percent(70) ? 0x66 : 0x67);
        else if (random_.percent(40))
            piece_.put(0x48);
        static constexpr u8 kOpcodes[] = {0xa4, 0xa5, 0xaa, 0xab, 0xa4, 0xab, 0xa6, 0xae};
        piece_.put(random_.pick(kOpcodes));
        if (random_.percent(40))
            branch();
    }

    // To the page's other half or an alias of it.
    void far_jump() {
        piece_.load_place(kRDX, target(),
                          random_.percent(50) ? kAlias - (page::kCode << kPageBits)
                                              : kHigh + kAlias - (page::kCode << kPageBits));
        piece_.put({0xff, static_cast<u8>(random_.percent(50) ? 0xe2 : 0xd2)});
    }

    void stack() {
        for (u32 count = 1 + random_.below(4); count != 0; --count)
            instruction({"PUSH_Z", "POP_Z", "PUSH_I", "PUSH_E", "POP_E", "LEAVE", "ENTER", "PUSHF",
                         "CALL_E", "PUSH_FS", "POP_Z", "RET"},
                        random_.percent(40));
    }

    void good_stack() {
        piece_.load(kRSP, (setting_.user ? 0 : kHigh) + kGoodStack - 8 * random_.below(32));
    }

    void stack_game() {
        switch (random_.below(5)) {
            case 0:
                piece_.put({0x48, 0x8d, 0x64, 0x24, static_cast<u8>(random_.next())});
                break;
            case 1:
                piece_.put({0x48, 0x81, 0xec});  // SUB RSP, x
                piece_.put(random_.below(0x1000), 4);
                break;
            case 2:  // at a page's end
                piece_.load(kRSP, (setting_.user ? 0 : kHigh) +
                                      ((page::kStack + random_.below(3)) << kPageBits) - 12 +
                                      random_.below(24));
                break;
            case 3:
                piece_.load(kRBP, addresses_.data());
                piece_.put(random_.percent(50) ? 0xc9 : 0x5d);
                break;
            default:
                piece_.load(kRSP, random_.percent(50) ? addresses_.wild() : addresses_.data());
                break;
        }
        if (random_.percent(70))
            stack();
    }

    // Stores into code: this piece, one near, one anywhere, through the present mapping or another.
    void self_modify() {
        static constexpr u32 kCodes[] = {0x90909090, 0xc0ffc0ff, 0x01c00148, 0xc3c3c3c3,
                                         0x9090d1ff, 0x90909d9c, 0xe8f7c8f7, 0x00058d48,
                                         0x90900aeb, 0x48c1ff48};
        const unsigned reg = scratch();
        const u32 where = random_.percent(60) ? (setting_.index + random_.below(3)) : target();
        const u64 offset = random_.below(24);
        const u32 code =
            random_.percent(70) ? random_.pick(kCodes) : static_cast<u32>(random_.next());
        if (random_.percent(35)) {
            // MOV [RIP + x], imm
            const bool byte = random_.percent(40);
            piece_.put({static_cast<u8>(byte ? 0xc6 : 0xc7), 0x05});
            piece_.hole(Hole::Kind::kRelativePlace, 4, where, offset);
            piece_.put(code, byte ? 1 : 4);
            piece_.end_instruction();
            return;
        }
        u64 bias = setting_.user || random_.percent(20) ? 0 : kHigh;
        if (random_.percent(30))
            bias += kAlias - (page::kCode << kPageBits);
        piece_.load_place(reg, where, bias + offset);
        const unsigned rm = reg & 7;
        const u8 rex = reg >= 8 ? 0x41 : 0x40;
        const u8 modrm = static_cast<u8>(0x40 | rm);  // with disp8 = 0: no exceptions
        switch (random_.below(5)) {
            case 0:
                piece_.put({rex, 0xc7, modrm, 0});
                piece_.put(code, 4);
                break;
            case 1:
                piece_.put({rex, 0xfe, modrm, 0});  // INC byte
                break;
            case 2:
                piece_.put({rex, 0x80, static_cast<u8>(modrm | 6 << 3), 0, 1});  // XOR byte, 1
                break;
            case 3:
                piece_.put({0xf3, 0x0f, 0x7f, static_cast<u8>(rm == reg ? modrm : 0x40 | kRDI), 0});
                break;
            default:
                piece_.put({rex, 0x89, static_cast<u8>(modrm | kRDX << 3), 0});
                break;
        }
        if (random_.percent(50)) {  // and go there
            piece_.put(0xe9);
            piece_.hole(Hole::Kind::kRelative, 4, where, 0);
        }
        piece_.end_instruction();
    }

    void registers() {
        for (u32 count = 1 + random_.below(3); count != 0; --count) {
            unsigned reg = random_.below(16);
            if (reg == kRSP)
                reg = kRCX;
            piece_.load(reg, random_.percent(70) ? addresses_.data() : random_.below(64));
        }
    }

    void random_bytes() {
        for (u32 count = 1 + random_.below(8); count != 0; --count)
            piece_.put(random_.next());
    }

    // Unmasks or masks SIMD exceptions, and something that may raise them.
    void mxcsr() {
        const u64 data = addresses_.near() & ~u64{15};
        const u32 value = random_.percent(50) ? 0x1f80 : random_.below(0x10000);
        at_data({0xc7}, 0, data);
        piece_.put(value, 4);
        piece_.end_instruction();
        if (random_.percent(30))
            piece_.put(0xc5), piece_.put(0xf8);
        else
            piece_.put(0x0f);
        at_data({0xae}, 2, data);
        piece_.end_instruction();
        static constexpr u8 kOperations[] = {0x51, 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f, 0x2d, 0x5a};
        static constexpr u8 kPrefixes[] = {0x66, 0xf2, 0xf3};
        for (u32 count = random_.below(3); count != 0; --count) {
            piece_.put(random_.pick(kPrefixes));
            piece_.put(
                {0x0f, random_.pick(kOperations), static_cast<u8>(0xc0 | random_.below(64))});
        }
    }

    // Loads an address from memory and uses it.
    void chase() {
        const u64 data = addresses_.near() & ~u64{7};
        piece_.load(kRBX, addresses_.data());
        piece_.put(0x48);
        at_data({0x89}, kRBX, data);
        piece_.end_instruction();
        piece_.put(0x4c);
        at_data({0x8b}, kR10, data);
        piece_.end_instruction();
        piece_.put({0x4d, 0x8b, 0x12});        // MOV R10, [R10]
        piece_.put({0x4c, 0x01, 0x53, 0x08});  // ADD [RBX + 8], R10
    }

    // Writes a page table entry, and often uses what it maps.
    void table_edit() {
        const u64 entry = addresses_.table_entry();
        static constexpr u64 kSafe = 0x67;  // present, writable, user, accessed, dirty
        u64 flags = random_.percent(50) ? kSafe : random_.below(128) & ~u64{0x18};
        if (random_.percent(10))
            flags |= u64{1} << 63;
        const u64 index = (entry & 0xfff) / 8;
        u64 page = random_.percent(50) && index < page::kStackEnd ? index
                                                                  : page::kData + random_.below(10);
        if (random_.percent(25))
            page = page::kCode + random_.below(page::kCodeCount);
        piece_.load(kRDI, entry);
        if (random_.percent(60)) {
            piece_.load(kRSI, page << kPageBits | flags);
            piece_.put({0x48, 0x89, 0x37});  // MOV [RDI], RSI
        } else if (random_.percent(50)) {
            piece_.put({0x48, 0x83, 0x37, static_cast<u8>(random_.below(8))});  // XOR qword, x
        } else {
            piece_.put({0xc6, 0x07, static_cast<u8>(flags)});
        }
        piece_.end_instruction();
        if (random_.percent(50))
            instruction({"MOV_Gv_Ev", "MOV_Ev_Gv", "ADD_Ev_Gv"}, true);
    }

    void enter_kernel() {
        if (random_.percent(40)) {
            piece_.put({0x0f, 0x05});  // SYSCALL
            return;
        }
        static constexpr u8 kVectors[] = {0x80, 0x80, 0x81, 0x81, 0x82, 0x83, 3, 4, 1};
        const u8 vector = random_.pick(kVectors);
        if (vector == 3)
            piece_.put(0xcc);
        else if (vector == 1)
            piece_.put(0xf1);
        else
            piece_.put({0xcd, vector});
    }

    u32 some_flags() {
        u32 flags = 2 | (random_.next() & 0xcd5);
        if (random_.percent(50))
            flags |= rflags::kIF;
        if (random_.percent(8))
            flags |= rflags::kTF;
        if (random_.percent(10))
            flags |= rflags::kAC;
        if (random_.percent(5))
            flags |= rflags::kRF;
        return flags;
    }

    void enter_user() {
        if (random_.percent(35)) {
            piece_.load_place(kRCX, target(), random_.percent(90) ? 0 : place_bias());
            piece_.load(kR11, some_flags());
            piece_.put({0x48, 0x0f, 0x07});  // SYSRET
            return;
        }
        const bool user = random_.percent(75);
        piece_.put(0x68);  // PUSH SS
        piece_.put(user ? kUserData : kKernelData, 4);
        piece_.load(kRAX, (user ? 0 : kHigh) + kGoodStack - 8 * random_.below(16));
        piece_.put(0x50);
        piece_.put(0x68);
        piece_.put(some_flags(), 4);
        piece_.put(0x68);
        piece_.put(user ? kUserCode : kKernelCode, 4);
        piece_.load_place(kRAX, target(), random_.percent(90) ? (user ? 0 : kHigh) : place_bias());
        piece_.put(0x50);
        piece_.put({0x48, 0xcf});  // IRET
    }

    // STAC or CLAC, then the low half.
    void access_check() {
        piece_.put({0x0f, 0x01, static_cast<u8>(random_.percent(60) ? 0xcb : 0xca)});
        for (u32 count = random_.below(3); count != 0; --count) {
            piece_.load(kRBX, addresses_.good());
            instruction({"MOV_Gv_Ev", "MOV_Ev_Gv", "ADD_Ev_Gv", "CMP_Ev_Gv", "MOVS_", "STOS_"},
                        true);
        }
    }

    void trap_flag() {
        piece_.put(0x9c);
        piece_.put({0x81, 0x0c, 0x24});  // OR dword [RSP], x
        piece_.put(random_.percent(70) ? 0x100 : 0x40000, 4);
        piece_.put(0x9d);
    }

    void flags_register() {
        piece_.put(0x68);
        piece_.put(some_flags(), 4);
        piece_.put(0x9d);
    }

    void breakpoint() {
        const unsigned number = random_.below(4);
        if (random_.percent(30))
            piece_.load_place(kRAX, target(), bias());
        else
            piece_.load(kRAX, addresses_.data());
        piece_.put({0x0f, 0x23, static_cast<u8>(0xc0 | number << 3)});
        piece_.load(kRAX, 0x400 | 1u << (2 * number) | (random_.next() & 15) << (16 + 4 * number));
        piece_.put({0x0f, 0x23, 0xf8});
    }

    // Toggles a bit of CR0 or CR4.
    void control() {
        static constexpr u8 kBits0[] = {3, 3, 16, 18, 2}, kBits4[] = {20, 21, 9, 18, 7, 16};
        const bool four = random_.percent(60);
        const u8 reg = static_cast<u8>(0xc0 | (four ? 4 : 0) << 3);
        piece_.put({0x0f, 0x20, reg});
        piece_.put({0x0f, 0xba, 0xf8, four ? random_.pick(kBits4) : random_.pick(kBits0)});  // BTC
        piece_.put({0x0f, 0x22, reg});
    }

    void reload_root() {
        piece_.load(kRAX, (random_.percent(50) ? page::kRoot : page::kOtherRoot) << kPageBits);
        piece_.put({0x0f, 0x22, 0xd8});
        if (random_.percent(30))
            at_data({0x0f, 0x01}, 7, addresses_.near());  // INVLPG
        piece_.end_instruction();
    }

    void segment_base() {
        static constexpr u64 kBases[] = {0, 8, kHigh, kLowEnd - 0x1000, u64{1} << 63, ~u64{0xfff}};
        const u64 base = random_.percent(50) ? random_.pick(kBases) : addresses_.data() & 0xfff;
        if (random_.percent(50)) {
            piece_.load(kRBX, base);
            piece_.put(
                {0xf3, 0x48, 0x0f, 0xae, static_cast<u8>(random_.percent(50) ? 0xd3 : 0xdb)});
        } else if (random_.percent(30)) {
            piece_.put({0x0f, 0x01, 0xf8});  // SWAPGS
        } else {
            piece_.load(kRCX, 0xc000'0100 + random_.below(3));
            piece_.load(kRAX, base & 0xffff'ffff);
            piece_.load(kRDX, base >> 32);
            piece_.put({0x0f, 0x30});
        }
        piece_.put(random_.percent(50) ? 0x64 : 0x65);
        append(make_instruction_of(random_, setting_, {"MOV_Gv_Ev", "MOV_Ev_Gv"}, true));
    }

    void interrupts() {
        static constexpr u8 kCodes[] = {0xfa, 0xfb, 0xfb};
        piece_.put(random_.pick(kCodes));
        if (random_.percent(20))
            piece_.put({0x8e, 0xd0});  // MOV SS, AX
    }

    Random& random_;
    const Setting& setting_;
    Addresses addresses_;
    Piece piece_;
};

}  // namespace

Piece make_idiom(Random& random, const Setting& setting) {
    return Idioms(random, setting).make();
}

}  // namespace uchronia::random
