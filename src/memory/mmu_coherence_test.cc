// RAM and MMU together: whatever a guest, a device or a checkpoint does to page tables, code and
// data, every access behaves as a fresh page walk, and nothing that is cached grants more.
//
// A random history in a small memory, where the same few pages are page tables of every level, data
// and code, is executed by the MMU and by SlowReference, and compared after every step.
#include <gtest/gtest.h>

#include <cstring>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>

#include "base/prng.h"
#include "cpu/access.h"
#include "cpu/mmu/mmu.h"
#include "cpu/vcpu.h"
#include "memory/ram.h"
#include "memory/slow_reference.h"

namespace uchronia::memory {
namespace {

using cpu::Exit;
using cpu::Op;
using cpu::VCPU;

constexpr u64 kSize = u64{2} << 20;
constexpr u64 kPages = kSize >> kPageBits;
// Where entries may be changed by a device while it is written to: nothing else stores there then.
constexpr unsigned kDMAIndex = 255;
constexpr std::array<unsigned, 5> kIndexes = {0, 1, kDMAIndex, 256, 511};

class DevicePlatform final : public cpu::Platform {
  public:
    u32 port_read(unsigned, u16, unsigned) override { return 0; }
    void port_write(unsigned, u16, unsigned, u32) override {}
    u64 mmio_read(unsigned, u64 address, unsigned size) override {
        u64 value = 0;
        for (unsigned i = 0; i < size; ++i)
            value |= u64{SlowReference::device_byte(address + i)} << (8 * i);
        return value;
    }
    void mmio_write(unsigned, u64 address, unsigned size, u64 value) override {
        for (unsigned i = 0; i < size; ++i)
            writes.emplace_back(address + i, static_cast<u8>(value >> (8 * i)));
        if (on_write)
            on_write();
    }
    cpu::MSRResult msr_read(unsigned, u32, u64&) override { return false; }
    cpu::MSRResult msr_write(unsigned, u32, u64) override { return false; }
    u64 task_priority(unsigned) override { return 0; }
    void set_task_priority(unsigned, u64) override {}
    bool interrupt_pending(unsigned) override { return false; }
    u8 acknowledge_interrupt(unsigned) override { return 0; }
    u64 time_stamp(unsigned) override { return 0; }
    u64 entropy() override { return 0; }
    void hypercall(unsigned) override {}
    void pause(unsigned) override {}

    std::vector<std::pair<u64, u8>> writes;
    std::function<void()> on_write;
};

struct Limits {
    u64 seed;
    u64 steps;
    u64 roots;  // pages that CR3 points to
    u64 pool;   // pages that are taken for page tables
};

class Coherence : public cpu::CodeObserver {
  public:
    explicit Coherence(const Limits& limits)
        : limits_(limits), ram_(frames_, kSize), mmu_(ram_), cpu_(0, mmu_, platform_) {
        ram_.set_observer(mmu_);
        mmu_.add_vcpu(cpu_);
        mmu_.add_code_observer(*this);
        op_.flags = cpu::op_flag::kMemory;
        op_.base = op_.index = cpu::kZeroSlot;
        op_.segment = cpu::kFlatSegment;
        cpu_.state.cr0 = cpu::cr0::kPE | cpu::cr0::kPG;
        cpu_.state.efer = cpu::efer::kLMA | cpu::efer::kLME;
        for (u64 page = 0; page < limits_.pool; ++page) {
            for (const unsigned index : kIndexes)
                write_entry(page, index, random_entry());
        }
        platform_.on_write = [this] { device_changes_an_entry(); };
        change_mode();
    }

    void run() {
        for (step_ = 0; step_ < limits_.steps && !testing::Test::HasFailure(); ++step_) {
            SCOPED_TRACE("seed " + std::to_string(limits_.seed) + " step " + std::to_string(step_));
            one_step();
            finish_device_changes();
            check_entries();
            check_code();
            EXPECT_EQ(platform_.writes, reference_.device_writes);
            if (step_ % 64 == 0 || step_ + 1 == limits_.steps)
                check_memory();
        }
    }

    void code_changed(u64 page_number) override {
        std::erase_if(code_, [&](const Code& code) { return code.page == page_number; });
        std::erase_if(lookups_, [&](const Lookup& l) { return l.page == page_number; });
    }

  private:
    struct Code {
        u64 page;
        u64 lines;
        std::array<u8, kPageSize> bytes;
    };
    struct Lookup {
        u64 rip, key, page;
    };
    struct Saved {
        std::shared_ptr<const RAMSnapshot> ram;
        std::vector<u8> bytes;
    };

    u64 random(u64 bound) { return random_word(limits_.seed, 1, counter_++) % bound; }
    bool chance(u64 percent) { return random(100) < percent; }
    template <class Container>
    auto pick(const Container& container) {
        return container[random(container.size())];
    }

    u64 random_entry() {
        u64 entry = chance(93) ? 1 : 0;
        entry |= (chance(85) ? 2 : 0) | (chance(75) ? 4 : 0);
        entry |= (chance(60) ? 0x20 : 0) | (chance(40) ? 0x40 : 0);
        entry |= chance(10) ? u64{1} << 63 : 0;
        if (chance(4))
            return entry | 0x80;  // a large page over all of RAM
        if (chance(2))
            return entry | (u64{1} << (40 + random(12)));
        const u64 page = chance(4)    ? kPages + random(3)
                         : chance(80) ? random(limits_.pool)
                                      : limits_.pool + random(16);
        return entry | page << kPageBits;
    }

    // The same few addresses in each half, at every level.
    u64 random_page_address() {
        static constexpr std::array<u64, 4> kRootIndexes = {0, 255, 256, 511};
        static constexpr std::array<u64, 2> kMiddle = {0, 511};
        static constexpr std::array<u64, 3> kLow = {0, 1, 511};
        const u64 root = pick(kRootIndexes);
        return page_address(root, pick(kMiddle), pick(kMiddle), pick(kLow));
    }
    static u64 page_address(u64 a, u64 b, u64 c, u64 d) {
        const u64 address = a << 39 | b << 30 | c << 21 | d << 12;
        return a >= 256 ? address | 0xffff'0000'0000'0000 : address;
    }
    u64 random_address(u64 size) {
        const u64 page = random_page_address();
        if (chance(1))
            return page ^ (u64{1} << (47 + random(17)));
        if (chance(15))
            return page + kPageSize - random(size + 1);
        if (chance(60))
            return page + 8 * u64{pick(kIndexes)};
        return page + random(kPageSize - size);
    }

    void write_entry(u64 page, unsigned index, u64 value) {
        const u64 physical = (page << kPageBits) + 8 * index;
        EXPECT_TRUE(ram_.store(PhysicalAddress(physical), value));
        reference_.store(physical, value);
    }
    void device_changes_an_entry() {
        const u64 page = random(limits_.pool);
        const u64 value = random_entry();
        EXPECT_TRUE(ram_.store(PhysicalAddress((page << kPageBits) + 8 * kDMAIndex), value));
        device_changes_.emplace_back(page, value);
    }
    void finish_device_changes() {
        for (const auto& [page, value] : device_changes_)
            reference_.store((page << kPageBits) + 8 * kDMAIndex, value);
        device_changes_.clear();
    }

    ReferenceMode mode() const {
        const cpu::CPUState& s = cpu_.state;
        return {.cr3 = s.cr3,
                .user = s.cpl() == 3,
                .ac = (s.system_flags & cpu::rflags::kAC) != 0,
                .wp = (s.cr0 & cpu::cr0::kWP) != 0,
                .smap = (s.cr4 & cpu::cr4::kSMAP) != 0,
                .smep = (s.cr4 & cpu::cr4::kSMEP) != 0,
                .nxe = (s.efer & cpu::efer::kNXE) != 0};
    }

    static void set(u64& word, u64 bit, bool value) { word = value ? word | bit : word & ~bit; }

    void change_mode() {
        cpu::CPUState& s = cpu_.state;
        if (chance(50))
            s.cr3 = (chance(98) ? random(limits_.roots) : kPages + random(2)) << kPageBits;
        s.segments[cpu::kCS].selector = chance(50) ? 3 : 0;
        set(s.system_flags, cpu::rflags::kAC, chance(30));
        if (chance(20)) {
            set(s.cr0, cpu::cr0::kWP, chance(60));
            set(s.cr4, cpu::cr4::kSMAP, chance(70));
            set(s.cr4, cpu::cr4::kSMEP, chance(70));
            set(s.efer, cpu::efer::kNXE, chance(90));
            s.dr7 = chance(20) ? 0x401 : 0x400;
        }
        mmu_.update_context(cpu_);
    }

    // Tries as the interpreter does: first in a block, then alone.
    template <class Function>
    bool attempt(Function function) {
        cpu_.alone = chance(20);
        cpu_.exit = Exit::kNone;
        if (function())
            return true;
        if (cpu_.exit == Exit::kAlone) {
            EXPECT_FALSE(cpu_.alone);
            cpu_.alone = true;
            cpu_.exit = Exit::kNone;
            if (function())
                return true;
        }
        EXPECT_EQ(cpu_.exit, Exit::kFault);
        return false;
    }

    void expect_fault(const ReferenceFault& expected) {
        if (!expected.page_fault) {
            EXPECT_EQ(cpu_.fault.vector, cpu::Vector::kGP);
            return;
        }
        EXPECT_EQ(cpu_.fault.vector, cpu::Vector::kPF);
        EXPECT_EQ(cpu_.fault.error_code, expected.error_code);
        EXPECT_EQ(cpu_.fault.address, expected.address);
    }

    template <class T>
    void read_integer(u64 address) {
        T value = 0;
        const bool ok = attempt([&] { return cpu::read_memory(cpu_, &op_, address, value); });
        compare_read(mode(), ReferenceAccess::kRead, address, &value, sizeof value, ok);
    }
    void compare_read(const ReferenceMode& as, ReferenceAccess access, u64 address,
                      const void* data, u64 size, bool ok) {
        ReferenceFault fault;
        const auto places = reference_.locate(as, address, size, access, fault);
        ASSERT_EQ(ok, places.has_value()) << std::hex << address;
        if (!ok)
            return expect_fault(fault);
        for (u64 i = 0; i < size; ++i)
            EXPECT_EQ(static_cast<const u8*>(data)[i], reference_.read_byte((*places)[i]))
                << std::hex << address << " + " << i;
    }
    void compare_write(const ReferenceMode& as, u64 address, const void* data, u64 size, bool ok) {
        ReferenceFault fault;
        const auto places = reference_.locate(as, address, size, ReferenceAccess::kWrite, fault);
        ASSERT_EQ(ok, places.has_value()) << std::hex << address;
        if (!ok)
            return expect_fault(fault);
        for (u64 i = 0; i < size; ++i)
            reference_.write_byte((*places)[i], static_cast<const u8*>(data)[i]);
    }

    void read() {
        const u64 size = u64{1} << random(5);
        const u64 address = random_address(size);
        switch (size) {
            case 1:
                return read_integer<u8>(address);
            case 2:
                return read_integer<u16>(address);
            case 4:
                return read_integer<u32>(address);
            case 8:
                return read_integer<u64>(address);
            default:
                break;
        }
        u8 bytes[16] = {};
        const bool ok =
            attempt([&] { return cpu::read_bytes(cpu_, &op_, address, bytes, sizeof bytes); });
        compare_read(mode(), ReferenceAccess::kRead, address, bytes, sizeof bytes, ok);
    }

    template <class T>
    void write_integer(u64 address, T value) {
        const bool ok = attempt([&] { return cpu::write_memory(cpu_, &op_, address, value); });
        compare_write(mode(), address, &value, sizeof value, ok);
    }
    // Most stores look like page table entries, so that they do something where they are ones.
    void write() {
        const u64 size = u64{1} << random(5);
        const u64 address = random_address(size);
        const u64 value = random_entry();
        switch (size) {
            case 1:
                return write_integer<u8>(address, static_cast<u8>(value));
            case 2:
                return write_integer<u16>(address, static_cast<u16>(value));
            case 16: {
                const u64 words[2] = {value, random_entry()};
                const bool ok = attempt(
                    [&] { return cpu::write_bytes(cpu_, &op_, address, words, sizeof words); });
                return compare_write(mode(), address, words, sizeof words, ok);
            }
            default:
                return write_integer<u64>(address, value);
        }
    }

    void read_modify_write() {
        const u64 address = random_address(8);
        const u64 change = u64{1} << random(8);
        u64 before = 0;
        if (u64* pointer = cpu::writable_pointer<u64>(cpu_, address); pointer != nullptr) {
            std::memcpy(&before, pointer, sizeof before);  // it need not be aligned
            const u64 after = before ^ change;
            std::memcpy(pointer, &after, sizeof after);
            compare_read(mode(), ReferenceAccess::kWrite, address, &before, 8, true);
        } else {
            const bool ok = attempt([&] {
                return cpu::read_for_write(cpu_, &op_, address, before) &&
                       cpu::write_memory(cpu_, &op_, address, before ^ change);
            });
            compare_read(mode(), ReferenceAccess::kWrite, address, &before, 8, ok);
            if (!ok)
                return;
        }
        const u64 after = before ^ change;
        compare_write(mode(), address, &after, 8, true);
    }

    // After it, a store must go through at once.
    void check_then_write() {
        const u32 size = static_cast<u32>(1 + random(600));
        const u64 address = random_address(size);
        std::vector<u8> bytes(size);
        for (u8& byte : bytes)
            byte = static_cast<u8>(random(256));
        const bool ok = attempt([&] { return cpu::check_writable(cpu_, &op_, address, size); });
        ReferenceFault fault;
        const auto places =
            reference_.locate(mode(), address, size, ReferenceAccess::kWrite, fault);
        ASSERT_EQ(ok, places.has_value()) << std::hex << address;
        if (!ok)
            return expect_fault(fault);
        cpu_.exit = Exit::kNone;
        EXPECT_TRUE(cpu::write_bytes(cpu_, &op_, address, bytes.data(), size));
        EXPECT_EQ(cpu_.exit, Exit::kNone);
        compare_write(mode(), address, bytes.data(), size, true);
    }

    void access_as_system() {
        ReferenceMode as = mode();
        as.user = as.ac = false;
        const u32 size = static_cast<u32>(1 + random(48));
        const u64 address = random_address(size);
        std::vector<u8> bytes(size, static_cast<u8>(random(256)));
        if (chance(50)) {
            const bool ok =
                attempt([&] { return mmu_.read_system(cpu_, &op_, address, bytes.data(), size); });
            compare_read(as, ReferenceAccess::kRead, address, bytes.data(), size, ok);
        } else {
            const bool ok =
                attempt([&] { return mmu_.write_system(cpu_, &op_, address, bytes.data(), size); });
            compare_write(as, address, bytes.data(), size, ok);
        }
    }

    // Finds, keeps and repeats lookups of code as the interpreter's jump cache does.
    void fetch() {
        const u64 address = random_address(1);
        const cpu::FetchedPage found = mmu_.fetch(cpu_, address);
        ReferenceFault fault;
        const auto places = reference_.locate(mode(), address, 1, ReferenceAccess::kFetch, fault);
        ASSERT_EQ(found.ok, places.has_value()) << std::hex << address;
        if (!found.ok) {
            cpu_.fault = found.fault;
            return expect_fault(fault);
        }
        EXPECT_EQ(found.page_number, places->front() >> kPageBits);
        EXPECT_EQ(found.bytes != nullptr, found.page_number < kPages);
        if (found.bytes == nullptr)
            return;
        if (chance(60)) {
            Code& code = code_.emplace_back();
            code.page = found.page_number;
            code.lines = u64{1} << random(64) | u64{1} << random(64);
            std::memcpy(code.bytes.data(), found.bytes, kPageSize);
            mmu_.mark_code(found.page_number, code.lines);
        }
        if (found.cacheable && has_code(found.page_number))
            lookups_.push_back({address, cpu_.fetch_keys[address >> 63], found.page_number});
        if (lookups_.size() > 64)
            lookups_.erase(lookups_.begin());
    }

    void copy() {
        const u64 size = 1 + random(2 * kPageSize);
        const u64 address = random_address(16);
        const auto access = chance(70) ? ReferenceAccess::kRead : ReferenceAccess::kWrite;
        std::vector<u8> bytes(size, static_cast<u8>(random(256)));
        const bool ok = access == ReferenceAccess::kRead
                            ? mmu_.copy_from_guest(cpu_, address, bytes.data(), size)
                            : mmu_.copy_to_guest(cpu_, address, bytes.data(), size);
        if (ok && access == ReferenceAccess::kRead) {
            // Page by page: a later walk's accessed bits may show in what has been copied.
            for (u64 done = 0; done < size;) {
                const u64 at = address + done;
                const u64 part = std::min(size - done, kPageSize - (at & kPageMask));
                compare_read(mode(), access, at, bytes.data() + done, part, true);
                done += part;
            }
            return;
        }
        ReferenceFault fault;
        const auto places = reference_.locate(mode(), address, size, access, fault);
        // A failure may come after accessed bits, a large write may change its own page tables.
        const bool all_ram = places && std::all_of(places->begin(), places->end(),
                                                   [](u64 at) { return at < kSize; });
        EXPECT_TRUE(ok == all_ram || access == ReferenceAccess::kWrite);
        resynchronise();
    }

    // A copy that fails on its way may have set accessed bits that the reference did not.
    void resynchronise() { EXPECT_TRUE(ram_.read(PhysicalAddress(0), reference_.bytes)); }

    void copy_upper_half() {
        const u64 from = random(limits_.roots), to = random(limits_.roots);
        const u8* source = reference_.bytes.data() + (from << kPageBits) + 2048;
        const std::vector<u8> half(source, source + 2048);
        EXPECT_TRUE(ram_.write(PhysicalAddress((to << kPageBits) + 2048), half));
        std::memcpy(reference_.bytes.data() + (to << kPageBits) + 2048, half.data(), 2048);
    }

    void checkpoint() {
        switch (random(5)) {
            case 0:
                return mmu_.drop_caches();
            case 1:
                ram_.digest();
                return;
            case 2:
            case 3:
                saved_.push_back({ram_.snapshot(), reference_.bytes});
                if (saved_.size() > 4)
                    saved_.erase(saved_.begin() + static_cast<i64>(random(4)));
                return;
            default:
                break;
        }
        if (saved_.empty())
            return;
        const Saved& saved = saved_[random(saved_.size())];
        ram_.restore(saved.ram);
        reference_.bytes = saved.bytes;
    }

    void one_step() {
        const u64 kind = random(1000);
        if (kind < 330)
            return read();
        if (kind < 600)
            return write();
        if (kind < 680)
            return read_modify_write();
        if (kind < 710)
            return check_then_write();
        if (kind < 760)
            return access_as_system();
        if (kind < 850)
            return fetch();
        if (kind < 930)
            return change_mode();
        if (kind < 970)
            return write_entry(random(limits_.pool), pick(kIndexes), random_entry());
        if (kind < 980)
            return copy_upper_half();
        if (kind < 988)
            return copy();
        return checkpoint();
    }

    // No cached entry grants what a fresh walk would not give without any change.
    void check_entries() {
        for (const u64 root : {0, 255, 256, 511})
            for (const u64 a : {0, 511})
                for (const u64 b : {0, 511})
                    for (const u64 c : {0, 1, 511})
                        check_entry(page_address(root, a, b, c));
    }
    void check_entry(u64 address) {
        const cpu::TableEntry& entry = cpu::table_entry(cpu_, address);
        if (entry.read != 0)
            check_grant(address, entry.read, ReferenceAccess::kRead);
        if (entry.write == 0)
            return;
        const u64 page = check_grant(address, entry.write, ReferenceAccess::kWrite);
        EXPECT_TRUE(std::none_of(code_.begin(), code_.end(),
                                 [&](const Code& code) { return code.page == page; }));
    }
    u64 check_grant(u64 address, u64 addend, ReferenceAccess access) {
        const auto found = reference_.translate(mode(), address, access);
        EXPECT_TRUE(found.ok && !found.changes) << std::hex << address;
        const u64 page = found.physical >> kPageBits;
        EXPECT_EQ(reinterpret_cast<u64>(ram_.read_page(page)), address + addend)
            << std::hex << address;
        return page;
    }

    void check_code() {
        for (const Code& code : code_) {
            for (u64 line = 0; line < 64; ++line) {
                if (((code.lines >> line) & 1) == 0)
                    continue;
                const u64 at = 64 * line;
                EXPECT_EQ(std::memcmp(code.bytes.data() + at,
                                      reference_.bytes.data() + (code.page << kPageBits) + at, 64),
                          0)
                    << code.page << " " << line;
            }
        }
        for (const Lookup& lookup : lookups_) {
            if (lookup.key != cpu_.fetch_keys[lookup.rip >> 63])
                continue;
            const auto found = reference_.translate(mode(), lookup.rip, ReferenceAccess::kFetch);
            EXPECT_TRUE(found.ok && !found.changes) << std::hex << lookup.rip;
            EXPECT_EQ(found.physical >> kPageBits, lookup.page);
        }
    }
    bool has_code(u64 page) const {
        return std::any_of(code_.begin(), code_.end(),
                           [&](const Code& code) { return code.page == page; });
    }

    void check_memory() {
        std::vector<u8> bytes(kSize);
        EXPECT_TRUE(ram_.read(PhysicalAddress(0), bytes));
        EXPECT_TRUE(bytes == reference_.bytes);
        FrameStore frames;
        RAM fresh(frames, kSize);
        EXPECT_TRUE(fresh.write(PhysicalAddress(0), reference_.bytes));
        EXPECT_EQ(ram_.digest(), fresh.digest());
    }

    const Limits limits_;
    u64 counter_ = 0;
    u64 step_ = 0;
    FrameStore frames_;
    RAM ram_;
    cpu::MMU mmu_;
    DevicePlatform platform_;
    VCPU cpu_;
    SlowReference reference_{kSize};
    Op op_{};
    std::vector<Code> code_;
    std::vector<Lookup> lookups_;
    std::vector<Saved> saved_;
    std::vector<std::pair<u64, u64>> device_changes_;
};

TEST(MMUCoherence, FewAddressSpaces) {
    for (u64 seed = 1; seed <= 12; ++seed)
        Coherence({.seed = seed, .steps = 4000, .roots = 3, .pool = 10}).run();
}

// More address spaces than there are tables for.
TEST(MMUCoherence, ManyAddressSpaces) {
    for (u64 seed = 101; seed <= 104; ++seed)
        Coherence({.seed = seed, .steps = 8000, .roots = 60, .pool = 80}).run();
}

}  // namespace
}  // namespace uchronia::memory
