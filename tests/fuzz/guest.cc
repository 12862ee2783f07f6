#include "tests/fuzz/guest.h"

#include <cstring>

#include "base/check.h"
#include "tests/fuzz/environment.h"

namespace uchronia::fuzz {
namespace {

using namespace cpu;

// Physical pages, by number.
constexpr u64 kGDT = 0, kIDT = 1, kTSS = 2, kRoot = 3, kPointersLow = 4, kDirectory = 5, kTable = 6,
              kDeviceTable = 7, kPointersHigh = 8, kOtherRoot = 9, kStack = 12, kCode = 16,
              kCodePages = 4, kData = 20, kDataPages = 8, kStartRoot = 30, kStartPointers = 31,
              kStartCode = 32;

// Where they are mapped.
constexpr u64 kDevices = 0x20'0000, kLargeAlias = 0x40'0000, kHugeAlias = 0x4000'0000,
              kHigh = 0xffff'8000'0000'0000;

// Page table entry bits (APM vol. 2, 5.4).
constexpr u64 kPresent = 1, kWritable = 2, kUser = 4, kAccessed = 32, kDirty = 64, kLarge = 128,
              kNoExecute = u64{1} << 63;

// Selectors in the GDT.
constexpr u16 kKernelCode = 0x08, kKernelData = 0x10, kUserData = 0x1b, kUserCode = 0x23,
              kTaskState = 0x28;
constexpr u16 kCodeAttributes = 0xa9b, kDataAttributes = 0xc93, kUserLevel = 3 << 5,
              kTaskAttributes = 0x8b;

constexpr u64 descriptor(u16 attributes) {
    return 0x000f'0000'0000'ffff | (u64{attributes} & 0xff) << 40 | (u64{attributes} >> 8) << 52;
}

class Builder {
  public:
    Builder(Input& input, machine::Machine& machine) : input_(input), machine_(machine) {}

    void build() {
        choose_places();
        write_page_tables();
        write_code();
        write_descriptors();
        spoil_memory();
        if (machine_.config().vcpu_count > 1) {
            start_second_vcpu();
            machine_.vcpu(1).state = state();
            machine_.mmu().update_context(machine_.vcpu(1));
        }
        machine_.set_boot_state(state());
    }

  private:
    void put(u64 page, u64 offset, u64 value) {
        machine_.ram().store(PhysicalAddress(page * kPageSize + offset), value);
    }

    // By messages from the first one (APM vol. 2, 16.5), with page tables that map everything one
    // to one.
    void start_second_vcpu() {
        FixedDecisions decisions;
        RememberingOutside outside;
        machine_.set_environment(
            {.decisions = &decisions, .outside = &outside, .files = nullptr, .request = {}});
        constexpr u64 kPlain = kPresent | kWritable;
        put(kStartRoot, 0, kStartPointers << kPageBits | kPlain);
        for (u64 gigabyte = 0; gigabyte < 4; ++gigabyte)
            put(kStartPointers, 8 * gigabyte, gigabyte << 30 | kPlain | kLarge);
        static constexpr u8 kSendBoth[] = {
            0xbb, 0x00, 0x00, 0xe0, 0xfe,                                 // MOV EBX, local APIC
            0xc7, 0x83, 0x10, 0x03, 0x00, 0x00, 0x00,  0x00, 0x00, 0x01,  // to the second
            0xc7, 0x83, 0x00, 0x03, 0x00, 0x00, 0x00,  0x45, 0x00, 0x00,  // INIT
            0xc7, 0x83, 0x00, 0x03, 0x00, 0x00, kCode, 0x46, 0x00, 0x00,  // start at kCode
            0xeb, 0xfe};
        machine_.ram().write(PhysicalAddress(kStartCode << kPageBits), kSendBoth);
        CPUState state;
        state.rip = kStartCode << kPageBits;
        state.cr0 = cr0::kPE | cr0::kPG;
        state.cr3 = kStartRoot << kPageBits;
        state.cr4 = cr4::kPAE;
        state.efer = efer::kLME | efer::kLMA;
        state.set_segment(kCS, {0, 0xffff'ffff, kKernelCode, kCodeAttributes});
        machine_.set_boot_state(state);
        machine_.start_preemption();
        CHECK(machine_.run(Ticks(10)).stop == machine::Stop::kTick);
    }

    void choose_places() {
        for (u64 page = kCode; page < kCode + kCodePages; ++page) {
            fragments_.push_back(page * kPageSize + input_.below(0x100));
            fragments_.push_back(page * kPageSize + 0xfc0 + input_.below(0x40));
        }
        for (const u64 fragment : fragments_) {
            places_.code.push_back(fragment);
            places_.code.push_back(kHigh + fragment);
        }
        for (u64 page = kData; page < kData + kDataPages; ++page) {
            static constexpr u64 kBases[] = {0, 0, 0, kLargeAlias, kHugeAlias, kHigh};
            const u64 offset = input_.percent(30) ? 0xff0 + input_.below(16) : input_.below(0xfff);
            places_.data.push_back(input_.pick(kBases) + page * kPageSize + offset);
        }
        for (u64 page = 0; page < 6; ++page)
            places_.data.push_back(kDevices + page * kPageSize + 4 * input_.below(0x100));
        places_.data.push_back(0x7fff'ffff'f000 + input_.below(0x1000));
        for (const u64 page :
             {kRoot, kPointersLow, kDirectory, kTable, kDeviceTable, kPointersHigh})
            places_.page_table_entries.push_back(page * kPageSize);
        places_.page_table_entries.push_back(kHigh + kTable * kPageSize + 8 * kCode);
        places_.page_table_entries.push_back(kTable * kPageSize + 8 * kData);
    }

    u64 random_flags() {
        u64 flags = kPresent | kUser;
        flags |= input_.percent(90) ? kWritable : 0;
        flags |= input_.percent(50) ? kAccessed : 0;
        flags |= input_.percent(50) ? kAccessed | kDirty : 0;
        flags |= input_.percent(5) ? kNoExecute : 0;
        return flags;
    }

    void write_page_tables() {
        const u64 table_flags = kPresent | kWritable | kUser;
        // The kernel must not execute user pages (SMEP), the user cannot use others.
        const u64 privilege = user_ ? 0 : kUser;
        for (u64 page = 0; page < 512; ++page)
            put(kTable, 8 * page, page << kPageBits | (random_flags() & ~privilege));
        static constexpr u64 kDeviceAddresses[] = {devices::LocalAPIC::kDefaultBase,
                                                   devices::IOAPIC::kDefaultBase,
                                                   0xd000'0000,
                                                   0xd000'1000,
                                                   0xc000'0000,
                                                   0x1'0000'0000};
        for (u64 i = 0; i < std::size(kDeviceAddresses); ++i)
            put(kDeviceTable, 8 * i, kDeviceAddresses[i] | random_flags());
        put(kDirectory, 0, kTable << kPageBits | table_flags);
        put(kDirectory, 8, kDeviceTable << kPageBits | table_flags);
        put(kDirectory, 16, kLarge | random_flags());
        put(kPointersLow, 0, kDirectory << kPageBits | table_flags);
        put(kPointersLow, 8, kLarge | random_flags());
        put(kPointersHigh, 0, kDirectory << kPageBits | table_flags);
        for (const u64 root : {kRoot, kOtherRoot}) {
            put(root, 0, kPointersLow << kPageBits | table_flags);
            put(root, 8 * 256, kPointersHigh << kPageBits | table_flags);
        }
    }

    void write_code() {
        for (const u64 fragment : fragments_) {
            std::vector<u8> code;
            for (u64 count = 4 + input_.below(24); count != 0; --count)
                append_code(input_, places_, fragment, code);
            // Goes on with another fragment, or returns from an interrupt.
            if (input_.percent(30)) {
                code.insert(code.end(), {0x48, 0xcf});
            } else {
                const u64 target = fragments_[input_.below(fragments_.size())];
                const u64 distance = target - (fragment + code.size() + 5);
                code.push_back(0xe9);
                for (unsigned i = 0; i < 4; ++i)
                    code.push_back(static_cast<u8>(distance >> (8 * i)));
            }
            machine_.ram().write(PhysicalAddress(fragment), code);
        }
    }

    void write_descriptors() {
        put(kGDT, kKernelCode, descriptor(kCodeAttributes));
        put(kGDT, kKernelData, descriptor(kDataAttributes));
        put(kGDT, kUserData & ~7u, descriptor(kDataAttributes | kUserLevel));
        put(kGDT, kUserCode & ~7u, descriptor(kCodeAttributes | kUserLevel));
        const u64 base = kTSS * kPageSize;
        put(kGDT, kTaskState, 0x67 | base << 16 | u64{kTaskAttributes} << 40);
        for (u64 vector = 0; vector < 256; ++vector) {
            const u64 handler = kHigh + input_.pick(fragments_);
            const u64 type = input_.percent(70) ? 0x8e : 0xef;
            const u64 stack = input_.percent(20) ? input_.below(8) : 0;
            put(kIDT, 16 * vector,
                (handler & 0xffff) | u64{kKernelCode} << 16 | stack << 32 | type << 40 |
                    (handler >> 16 & 0xffff) << 48);
            put(kIDT, 16 * vector + 8, handler >> 32);
        }
        // RSP0-2 and IST1-7 (APM vol. 2, 12.2.5).
        for (u64 i = 0; i < 3; ++i)
            put(kTSS, 4 + 8 * i, kHigh + (kStack + 1) * kPageSize);
        for (u64 i = 0; i < 7; ++i)
            put(kTSS, 36 + 8 * i, kHigh + (kStack + 1 + i % 2) * kPageSize - 256 * i);
    }

    void spoil_memory() {
        for (u64 count = input_.below(6); count != 0; --count) {
            const u64 page = input_.below(10);
            if (page >= kRoot && page < 10 && input_.percent(70))
                put(page, 8 * input_.below(20),
                    input_.below(24) << kPageBits | input_.byte() |
                        (input_.percent(10) ? kNoExecute : 0));
            else
                put(page, 8 * input_.below(512), input_.word());
        }
    }

    u64 random_register() {
        switch (input_.below(8)) {
            case 0:
                return input_.word();
            case 1:
                return input_.below(64);
            case 2:
                return input_.pick(places_.code);
            case 3:
                return input_.pick(places_.page_table_entries);
            default:
                return input_.pick(places_.data);
        }
    }

    CPUState state() {
        CPUState state;
        for (unsigned i = 0; i < 16; ++i)
            state.gpr[i] = random_register();
        state.gpr[kRSP] = (input_.percent(50) ? kHigh : 0) + (kStack + 2) * kPageSize - 64;
        state.rip = fragments_[0] + (user_ ? 0 : input_.percent(50) ? kHigh : 0);
        set_system_registers(state);
        const u16 level = user_ ? kUserLevel : 0;
        const u16 code = user_ ? kUserCode : kKernelCode;
        const u16 data = user_ ? kUserData : kKernelData;
        const auto flat = [&](u16 selector, unsigned attributes) {
            return Segment{0, 0xffff'ffff, selector, static_cast<u16>(attributes | level)};
        };
        state.set_segment(kCS, flat(code, kCodeAttributes));
        for (const SegmentRegister segment : {kES, kSS, kDS, kFS, kGS})
            state.set_segment(segment, flat(data, kDataAttributes));
        state.tr = {kHigh + kTSS * kPageSize, 0x67, kTaskState, kTaskAttributes};
        state.gdtr = {kHigh + kGDT * kPageSize, 0x7f};
        state.idtr = {kHigh + kIDT * kPageSize, 0xfff};
        for (VectorRegister& vector : state.vectors)
            vector.q = {input_.word(), input_.word(), 0, 0};
        return state;
    }

    void set_system_registers(CPUState& state) {
        const auto maybe = [&](u64 bit, u64 chance) { return input_.percent(chance) ? bit : 0; };
        state.cr0 = cr0::kPE | cr0::kMP | cr0::kET | cr0::kNE | cr0::kPG | maybe(cr0::kWP, 70) |
                    maybe(cr0::kAM, 20) | maybe(cr0::kTS, 5);
        state.cr3 = kRoot << kPageBits;
        state.cr4 = cr4::kPAE | cr4::kOSFXSR | cr4::kOSXMMEXCPT | maybe(cr4::kOSXSAVE, 50) |
                    maybe(cr4::kSMEP, 30) | maybe(cr4::kSMAP, 30) | maybe(cr4::kFSGSBASE, 50) |
                    maybe(cr4::kUMIP, 20) | maybe(cr4::kDE, 30) | maybe(cr4::kTSD, 10);
        state.xcr0 = input_.percent(60) ? 7 : 2 * input_.below(2) + 1;
        state.efer = efer::kSCE | efer::kLME | efer::kLMA | maybe(efer::kNXE, 80);
        state.lstar = kHigh + input_.pick(fragments_);
        state.star = u64{kKernelCode} << 32 | u64{kUserData - 8} << 48;
        state.sfmask = input_.below(0x800);
        u64 flags = input_.below(0x1000) & ~(rflags::kTF | rflags::kIOPL);
        flags |= maybe(rflags::kTF, 8) | maybe(rflags::kIOPL, 50) | maybe(rflags::kAC, 20);
        state.set_rflags(flags);
        if (input_.percent(10)) {
            for (u64& address : state.dr)
                address = random_register();
            state.dr7 = 0x400 | (input_.word(4) & 0xffff'03ff);
        }
        state.mxcsr = input_.percent(70) ? 0x1f80 : static_cast<u32>(input_.word(2));
    }

    Input& input_;
    machine::Machine& machine_;
    const bool user_ = input_.percent(40);
    std::vector<u64> fragments_;
    Places places_;
};

}  // namespace

void make_guest(Input& input, machine::Machine& machine) {
    Builder(input, machine).build();
}

}  // namespace uchronia::fuzz
