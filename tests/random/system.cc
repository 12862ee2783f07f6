// Everything around the code of a random program: page tables, descriptors, handlers, data and the
// initial state.
//
// A handler of a fault counts, sends the guest on to some piece (at the same privilege, in its
// half) and now and then gives it a good stack again. Traps and interrupts return.
#include <cstring>

#include "tests/random/generator.h"
#include "tests/random/layout.h"

namespace uchronia::random {

using namespace cpu;

namespace {

// Page table entry bits (APM vol. 2, 5.4).
constexpr u64 kPresent = 1, kWritable = 2, kUser = 4, kAccessed = 32, kDirty = 64,
              kNoExecute = u64{1} << 63;
constexpr u64 kTableFlags = kPresent | kWritable | kUser | kAccessed;
constexpr u64 kPlain = kPresent | kWritable | kAccessed | kDirty;

constexpr u16 kCodeAttributes = 0xa9b, kDataAttributes = 0xc93, kUserLevel = 3 << 5,
              kTaskAttributes = 0x8b;

constexpr u64 kVariables = kHigh + (page::kVariables << kPageBits);

constexpr u64 descriptor(u16 attributes) {
    return 0x000f'0000'0000'ffff | (u64{attributes} & 0xff) << 40 | (u64{attributes} >> 8) << 52;
}

// What a handler does with the frame.
enum class Answer : u8 { kRecover, kReturn, kStep };

// One handler. `error_size`: of the error code in the frame.
class HandlerWriter {
  public:
    HandlerWriter(u64 address, u64 error_size) : address_(address), error_(error_size) {}

    std::vector<u8> write(Answer answer, u8 vector) {
        if (vector == 7)
            put({0x0f, 0x06});  // CLTS
        put({0x50, 0x51});      // PUSH RAX; PUSH RCX
        variable({0x48, 0x8b}, kRAX, kCounter);
        put({0x48, 0xff, 0xc0});
        variable({0x48, 0x89}, kRAX, kCounter);
        if (answer == Answer::kRecover)
            recover();
        if (answer == Answer::kStep)
            step();
        put({0x59, 0x58});
        if (error_ != 0)
            put({0x48, 0x83, 0xc4, 0x08});
        put({0x48, 0xcf});
        return code_;
    }

  private:
    void put(std::initializer_list<u8> bytes) { code_.insert(code_.end(), bytes); }
    void put32(u64 value) {
        for (unsigned i = 0; i < 4; ++i)
            code_.push_back(static_cast<u8>(value >> (8 * i)));
    }
    // An instruction with a RIP-relative operand at its end.
    void variable(std::initializer_list<u8> opcode, u8 reg, u64 offset) {
        put(opcode);
        code_.push_back(static_cast<u8>(reg << 3 | 5));
        put32(kVariables + offset - (address_ + code_.size() + 4));
    }
    u8 slot(u8 n) const { return static_cast<u8>(16 + error_ + 8 * n); }  // of the frame
    // OR RAX, kHigh unless the frame is the user's.
    void to_privilege() {
        put({0xf6, 0x44, 0x24, slot(1), 3});  // TEST byte [CS], 3
        put({0x75, 10 + 3});
        put({0x48, 0xb9});
        put32(kHigh);
        put32(kHigh >> 32);
        put({0x48, 0x09, 0xc8});
    }
    void recover() {
        put({0x83, 0xe0, 0x3f});  // AND EAX, 63
        variable({0x48, 0x8d}, kRCX, kRecoveries);
        put({0x48, 0x8b, 0x04, 0xc1});  // MOV RAX, [RCX + 8 * RAX]
        to_privilege();
        put({0x48, 0x89, 0x44, 0x24, slot(0)});
        variable({0x48, 0x8b}, kRAX, kCounter);
        put({0xa8, 3});  // TEST AL, 3
        put({0x75, 0});
        const std::size_t skip = code_.size();
        variable({0x48, 0x8b}, kRAX, kStackVariable);
        to_privilege();
        put({0x48, 0x89, 0x44, 0x24, slot(3)});
        clear_traps();
        code_[skip - 1] = static_cast<u8>(code_.size() - skip);
    }
    void clear_traps() {
        put({0x81, 0x64, 0x24, slot(2)});  // AND dword [RFLAGS], no TF, NT, AC
        put32(~(rflags::kTF | rflags::kNT | rflags::kAC));
        put({0xb8, 0, 4, 0, 0, 0x0f, 0x23, 0xf8});  // MOV EAX, 400h; MOV DR7, RAX
    }
    void step() {
        put({0x81, 0x4c, 0x24, slot(2)});  // OR dword [RFLAGS], RF
        put32(rflags::kRF);
        put({0xa8, 15});
        put({0x75, 0});
        const std::size_t skip = code_.size();
        clear_traps();
        code_[skip - 1] = static_cast<u8>(code_.size() - skip);
    }

    const u64 address_;
    const u64 error_;
    std::vector<u8> code_;
};

class SystemBuilder {
  public:
    SystemBuilder(Random& random, const Setting& setting, Program& program)
        : random_(random),
          setting_(setting),
          addresses_(random, setting),
          program_(program),
          places_(program.places()),
          memory_(page::kStackEnd * kPageSize) {}

    void build() {
        write_data();
        write_tables();
        write_descriptors();
        write_handlers();
        write_variables();
        program_.image.parts.push_back({0, memory_});
        write_state();
    }

  private:
    void put(u64 page, u64 offset, u64 value) {
        std::memcpy(memory_.data() + page * kPageSize + offset, &value, 8);
    }
    u64 any_place() { return places_[random_.below(places_.size())]; }
    u64 maybe(u64 bit, u32 chance) { return random_.percent(chance) ? bit : 0; }

    void write_data() {
        for (u64 at = page::kData * kPageSize; at < page::kStackEnd * kPageSize; at += 8) {
            const u64 value = data_word();
            std::memcpy(memory_.data() + at, &value, 8);
        }
    }
    u64 data_word() {
        static constexpr u64 kFloats[] = {
            0x3ff0000000000000, 0x7ff0000000000000, 0x8000000000000000, 0x7ff8000000000001,
            0x3f8000007f800000, 0x0000000100000001, 0x4008000040490fdb, 0x0010000000000000};
        switch (random_.below(8)) {
            case 0:
                return random_.below(16);
            case 1:
                return addresses_.data();
            case 2:
                return random_.pick(kFloats);
            case 3:
                return any_place() + (setting_.user ? 0 : kHigh);
            case 4:
                return 0;
            default:
                return random_.next();
        }
    }

    u64 odd_flags() {
        return maybe(kPresent, 85) | maybe(kWritable, 70) | maybe(kUser, 70) |
               maybe(kAccessed, 50) | maybe(kDirty, 50) | maybe(kNoExecute, 10);
    }
    u64 any_page() {
        const u32 choice = random_.below(10);
        if (choice < 4)
            return page::kCode + random_.below(page::kCodeCount);
        if (choice < 8)
            return page::kData + random_.below(page::kDataCount);
        if (choice == 8)
            return page::kStack + random_.below(2);
        return random_.percent(20) ? 0x300 + random_.below(16)  // a device
                                   : page::kTableAlias;
    }

    void write_tables() {
        write_directories();
        for (u64 page = 0; page < 512; ++page) {
            put(page::kTableLow, 8 * page, page << kPageBits | low_flags(page));
            put(page::kTableHigh, 8 * page, page << kPageBits | high_flags(page));
        }
        for (u64 i = 0; i < kAliasCount; ++i) {
            // The first ones map the code in order, as code that jumps between aliases expects.
            const u64 page = i < page::kCodeCount ? page::kCode + i : any_page();
            put(page::kTableAlias, 8 * i, page << kPageBits | odd_flags());
            put(page::kTableHighAlias, 8 * i,
                page << kPageBits | (odd_flags() & ~maybe(kUser, 80)));
        }
        for (u64 i = 512 - kEdgeCount; i < 512; ++i) {
            const u64 privilege = setting_.user ? kUser : maybe(kUser, 50);
            put(page::kTableEdge, 8 * i, any_page() << kPageBits | kPlain | privilege);
            put(page::kTableTop, 8 * i, any_page() << kPageBits | (odd_flags() & ~kUser));
        }
    }
    void write_directories() {
        const auto link = [&](u64 table, u64 index, u64 target) {
            put(table, 8 * index, target << kPageBits | kTableFlags | maybe(kDirty, 50));
        };
        for (const u64 root : {page::kRoot, page::kOtherRoot}) {
            link(root, 0, page::kPointersLow);
            link(root, 255, page::kPointersEdge);
            link(root, 256, page::kPointersHigh);
            link(root, 511, page::kPointersTop);
        }
        link(page::kDirectoryTop, 0, page::kTableHigh);
        link(page::kPointersLow, 0, page::kDirectoryLow);
        link(page::kDirectoryLow, 0, page::kTableLow);
        link(page::kDirectoryLow, 1, page::kTableAlias);
        link(page::kPointersEdge, 511, page::kDirectoryEdge);
        link(page::kDirectoryEdge, 511, page::kTableEdge);
        link(page::kPointersHigh, 0, page::kDirectoryHigh);
        link(page::kDirectoryHigh, 0, page::kTableHigh);
        link(page::kDirectoryHigh, 1, page::kTableHighAlias);
        link(page::kPointersTop, 511, page::kDirectoryTop);
        link(page::kDirectoryTop, 511, page::kTableTop);
    }
    static bool is_in(u64 page, u64 first, u64 count) { return page - first < count; }

    u64 low_flags(u64 page) {
        if (is_in(page, page::kFirstTable, page::kTableEnd - page::kFirstTable))
            return kPlain | (setting_.tables_for_user ? kUser : 0);
        if (is_in(page, page::kCode, page::kCodeCount))
            return kPresent | kUser | maybe(kWritable, 85) | maybe(kAccessed | kDirty, 50);
        if (is_in(page, page::kData, 10) || is_in(page, page::kStack, 2))
            return kPresent | kUser | kWritable | maybe(kAccessed, 60) | maybe(kDirty, 60);
        if (is_in(page, page::kData, page::kDataCount))
            return odd_flags();
        return page == 0 ? kPlain | kUser : kPlain;
    }
    u64 high_flags(u64 page) {
        if (is_in(page, page::kCode, page::kCodeCount))
            return kPresent | maybe(kWritable, 85) | maybe(kAccessed | kDirty, 50);
        if (is_in(page, page::kData + 10, page::kDataCount - 10))
            return odd_flags() & ~kUser;
        return kPlain;
    }

    void write_descriptors() {
        put(page::kGDT, kKernelCode, descriptor(kCodeAttributes));
        put(page::kGDT, kKernelData, descriptor(kDataAttributes));
        put(page::kGDT, kUserData & ~7u, descriptor(kDataAttributes | kUserLevel));
        put(page::kGDT, kUserCode & ~7u, descriptor(kCodeAttributes | kUserLevel));
        const u64 base = kHigh + (page::kTSS << kPageBits);
        put(page::kGDT, kTaskState,
            0x67 | (base & 0xff'ffff) << 16 | u64{kTaskAttributes} << 40 |
                (base >> 24 & 0xff) << 56);
        put(page::kGDT, kTaskState + 8, base >> 32);
        // RSP0-2 and IST1-7 (APM vol. 2, 12.2.5).
        for (u64 i = 0; i < 3; ++i)
            put(page::kTSS, 4 + 8 * i, kHigh + ((page::kStack + 2) << kPageBits));
        for (u64 i = 0; i < 7; ++i)
            put(page::kTSS, 36 + 8 * i, kHigh + (page::kStackEnd << kPageBits) - 0x400 * i);
    }

    void gate(u64 vector, u64 handler, u64 level, u64 stack) {
        put(page::kIDT, 16 * vector,
            (handler & 0xffff) | u64{kKernelCode} << 16 | stack << 32 | (0x8e | level << 5) << 40 |
                (handler >> 16 & 0xffff) << 48);
        put(page::kIDT, 16 * vector + 8, handler >> 32);
    }
    u64 handler(u64 vector, Answer answer) {
        static constexpr u32 kWithError = 0x60227d00;  // 8, 10-14, 17, 21, 29, 30
        const u64 error = vector < 32 && (kWithError >> vector & 1) != 0 ? 8 : 0;
        const u64 address = kHigh + (page::kHandlers << kPageBits) + handler_offset_;
        const std::vector<u8> code =
            HandlerWriter(address, error).write(answer, static_cast<u8>(vector));
        std::memcpy(memory_.data() + (page::kHandlers << kPageBits) + handler_offset_, code.data(),
                    code.size());
        handler_offset_ += code.size() + random_.below(3);
        return address;
    }

    void write_handlers() {
        const bool own_stack = random_.percent(85);
        for (u64 vector = 0; vector < 32; ++vector) {
            const Answer answer = vector == 1                                 ? Answer::kStep
                                  : vector == 2 || vector == 3 || vector == 4 ? Answer::kReturn
                                                                              : Answer::kRecover;
            const u64 level = vector == 3 || vector == 4 || vector == 1 ? 3 : 0;
            gate(vector, handler(vector, answer), level, vector == 8 ? 2 : own_stack ? 1 : 0);
        }
        gate(0x20, handler(0x20, Answer::kReturn), 0, own_stack ? 3 : 0);
        gate(0x80, handler(0x80, Answer::kReturn), 3, 0);
        gate(0x81, kHigh + any_place(), 3, 0);
        gate(0x82, handler(0x82, Answer::kRecover), 3, 0);
        gate(0x83, kHigh + any_place(), 3, 4);
        // SYSCALL: counts and returns.
        system_call_ = kHigh + (page::kHandlers << kPageBits) + handler_offset_;
        u8 code[] = {0x48, 0xff, 0x05, 0, 0, 0, 0, 0x48, 0x0f, 0x07};
        const u32 distance = static_cast<u32>(kVariables + kCallCounter - (system_call_ + 7));
        std::memcpy(code + 3, &distance, 4);
        std::memcpy(memory_.data() + (page::kHandlers << kPageBits) + handler_offset_, code,
                    sizeof code);
    }

    void write_variables() {
        put(page::kVariables, kStackVariable, kGoodStack);
        put(page::kVariables, kGoodMXCSR, 0x1f80);
        for (u64 i = 0; i < kRecoveryCount; ++i)
            put(page::kVariables, kRecoveries + 8 * i, any_place());
    }

    void write_state() {
        CPUState& state = program_.image.state;
        for (unsigned i = 0; i < 16; ++i)
            state.gpr[i] = random_.percent(70) ? addresses_.data() : random_.below(100);
        state.gpr[kRSP] = (setting_.user ? 0 : kHigh) + kGoodStack;
        state.rip = places_[0] + (setting_.user ? 0 : kHigh);
        const u16 level = setting_.user ? kUserLevel : 0;
        const auto flat = [&](u16 selector, unsigned attributes) {
            return Segment{0, 0xffff'ffff, selector, static_cast<u16>(attributes | level)};
        };
        state.set_segment(kCS, flat(setting_.user ? kUserCode : kKernelCode, kCodeAttributes));
        for (const SegmentRegister segment : {kES, kSS, kDS, kFS, kGS})
            state.set_segment(segment,
                              flat(setting_.user ? kUserData : kKernelData, kDataAttributes));
        for (const SegmentRegister segment : {kFS, kGS}) {
            Segment based = state.segments[segment];
            based.base = segment_base();
            state.set_segment(segment, based);
        }
        state.tr = {kHigh + (page::kTSS << kPageBits), 0x67, kTaskState, kTaskAttributes};
        state.gdtr = {kHigh + (page::kGDT << kPageBits), 0x7f};
        state.idtr = {kHigh + (page::kIDT << kPageBits), 0xfff};
        write_control(state);
        for (VectorRegister& vector : state.vectors)
            vector.q = {data_word(), data_word(), data_word(), data_word()};
    }

    u64 segment_base() {
        switch (random_.below(8)) {
            case 0:
                return kLowEnd - random_.below(0x2000);
            case 1:
                return (u64{1} << 63) - random_.below(0x100);
            case 2:
                return u64{0} - random_.below(0x10000);
            case 3:
                return kHigh + random_.below(0x1000);
            case 4:
                return 0;
            default:
                return random_.below(0x1000);
        }
    }

    void write_control(CPUState& state) {
        state.cr0 = cr0::kPE | cr0::kMP | cr0::kET | cr0::kNE | cr0::kPG | maybe(cr0::kWP, 80) |
                    maybe(cr0::kAM, 30) | maybe(cr0::kTS, 4);
        state.cr3 = page::kRoot << kPageBits;
        state.cr4 = cr4::kPAE | maybe(cr4::kOSFXSR, 95) | maybe(cr4::kOSXMMEXCPT, 85) |
                    maybe(cr4::kOSXSAVE, 85) | maybe(cr4::kSMEP, 40) | maybe(cr4::kSMAP, 50) |
                    maybe(cr4::kFSGSBASE, 80) | maybe(cr4::kUMIP, 20) | maybe(cr4::kDE, 30) |
                    maybe(cr4::kTSD, 10) | maybe(cr4::kPGE, 50);
        state.xcr0 = random_.percent(90) ? 7 : 3;
        state.efer = efer::kSCE | efer::kLME | efer::kLMA | maybe(efer::kNXE, 90);
        if ((state.efer & efer::kNXE) == 0)
            drop_no_execute();
        state.lstar = random_.percent(60) ? system_call_ : kHigh + any_place();
        if (random_.percent(40))
            state.lstar += kKernel - kHigh;
        state.star = u64{kKernelCode} << 32 | u64{kUserData - 8 - 3} << 48;
        state.sfmask = random_.below(0x800) | maybe(rflags::kAC, 50);
        if (random_.percent(40))
            state.sfmask |= rflags::kArithmetic | rflags::kTF | rflags::kAC;
        state.kernel_gs_base = segment_base();
        u64 flags = random_.below(0x1000) & ~(rflags::kTF | rflags::kIOPL | rflags::kDF);
        flags |= maybe(rflags::kTF, 4) | maybe(rflags::kIOPL, 20) | maybe(rflags::kAC, 15) |
                 maybe(rflags::kDF, 10);
        state.set_rflags(flags);
        if (random_.percent(7)) {
            for (u64& address : state.dr)
                address = random_.percent(60) ? addresses_.data() : any_place();
            state.dr7 = 0x400 | (random_.next() & 0xffff'00ff);
        }
        state.mxcsr = random_.percent(80) ? 0x1f80 : random_.below(0x10000);
    }
    // Without EFER.NXE the bit is reserved.
    void drop_no_execute() {
        auto& memory = program_.image.parts.front().bytes;
        for (u64 at = page::kFirstTable * kPageSize; at < page::kTableEnd * kPageSize; at += 8)
            memory[at + 7] &=
                at + 7 < memory.size() && (memory[at] & 1) != 0 && memory[at + 7] == 0x80
                    ? u8{0x7f}
                    : u8{0xff};
    }

    Random& random_;
    const Setting& setting_;
    Addresses addresses_;
    Program& program_;
    const std::vector<u64> places_;
    std::vector<u8> memory_;
    u64 handler_offset_ = 0;
    u64 system_call_ = 0;
};

}  // namespace

void add_system(Random& random, const Setting& setting, Program& program) {
    SystemBuilder(random, setting, program).build();
}

}  // namespace uchronia::random
