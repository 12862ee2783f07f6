#include "devices/local_apic.h"

#include <gtest/gtest.h>

#include "devices/apic_bus.h"
#include "devices/state_testing.h"

namespace uchronia::devices {
namespace {

constexpr u32 kMSRBase = 0x1b, kMSRDeadline = 0x6e0;
constexpr u32 kX2ID = 0x802, kX2PPR = 0x80a, kX2EOI = 0x80b, kX2LDR = 0x80d, kX2SVR = 0x80f,
              kX2ESR = 0x828, kX2ICR = 0x830, kX2Timer = 0x832, kX2Error = 0x837,
              kX2Initial = 0x838, kX2Current = 0x839, kX2Divide = 0x83e, kX2Self = 0x83f;
constexpr u64 kMasked = 1u << 16, kPeriodic = 1u << 17, kDeadline = 2u << 17;

constexpr VirtualTime at(u64 ns) {
    return VirtualTime{ns};
}

class LocalAPICTest : public testing::Test {
  protected:
    LocalAPICTest() {
        bus.connect(first);
        bus.connect(second);
        for (LocalAPIC* apic : {&first, &second}) {
            EXPECT_TRUE(apic->msr_write(kMSRBase, base(*apic) | 1u << 10, at(0)));
            EXPECT_TRUE(apic->msr_write(kX2SVR, 0x1ff, at(0)));
        }
    }

    static u64 base(const LocalAPIC& apic) { return get(apic, kMSRBase); }
    static u64 get(const LocalAPIC& apic, u32 msr, u64 now = 0) {
        u64 value = 0;
        EXPECT_TRUE(apic.msr_read(msr, value, at(now)));
        return value;
    }
    static void set(LocalAPIC& apic, u32 msr, u64 value, u64 now = 0) {
        EXPECT_TRUE(apic.msr_write(msr, value, at(now)));
    }

    APICBus bus;
    LocalAPIC first{0, LocalAPIC::Role::kBootProcessor, bus};
    LocalAPIC second{1, LocalAPIC::Role::kApplicationProcessor, bus};
};

TEST_F(LocalAPICTest, AcknowledgesByPriorityAndRespectsTaskPriority) {
    EXPECT_FALSE(first.interrupt_pending());
    EXPECT_EQ(first.acknowledge(), 0xff);  // spurious
    set(first, kX2Self, 0x41);
    set(first, kX2Self, 0x83);
    EXPECT_TRUE(first.interrupt_pending());
    first.set_task_priority(8);
    EXPECT_FALSE(first.interrupt_pending());
    first.set_task_priority(7);
    EXPECT_EQ(first.acknowledge(), 0x83);
    EXPECT_EQ(get(first, kX2PPR), 0x80u);
    EXPECT_FALSE(first.interrupt_pending());  // 0x41 waits for the EOI and the task priority
    set(first, kX2EOI, 0);
    EXPECT_FALSE(first.interrupt_pending());
    first.set_task_priority(0);
    EXPECT_EQ(first.acknowledge(), 0x41);
}

TEST_F(LocalAPICTest, RefusesWhatX2APICRefuses) {
    u64 value = 0;
    EXPECT_FALSE(first.msr_write(kX2EOI, 1, at(0)));
    EXPECT_FALSE(first.msr_write(kX2ESR, 1, at(0)));
    EXPECT_FALSE(first.msr_read(kX2EOI, value, at(0)));
    EXPECT_FALSE(first.msr_write(kX2LDR, 0, at(0)));
    EXPECT_FALSE(first.msr_read(0x80e, value, at(0)));  // DFR
    EXPECT_FALSE(first.msr_read(0x831, value, at(0)));  // ICR, high half
    EXPECT_FALSE(first.msr_read(0x8ff, value, at(0)));
    EXPECT_FALSE(first.msr_write(kX2SVR, u64{1} << 32, at(0)));
    EXPECT_FALSE(first.msr_write(kX2Timer, 1u << 8, at(0)));
    EXPECT_FALSE(first.mapped_base().has_value());
    EXPECT_EQ(first.read(0x20, 4, at(0)), 0xffffffffu);
}

TEST_F(LocalAPICTest, ModeTransitions) {
    LocalAPIC apic{3, LocalAPIC::Role::kBootProcessor, bus};
    const u64 xapic = base(apic);
    EXPECT_EQ(xapic, LocalAPIC::kDefaultBase | 0x900);
    EXPECT_TRUE(apic.msr_write(kMSRBase, xapic & ~u64{0x800}, at(0)));
    EXPECT_FALSE(apic.msr_write(kMSRBase, xapic | 0x400, at(0)));  // disabled -> x2APIC
    EXPECT_FALSE(apic.msr_write(kMSRBase, 0x400, at(0)));          // invalid
    EXPECT_TRUE(apic.msr_write(kMSRBase, xapic, at(0)));
    EXPECT_TRUE(apic.msr_write(kMSRBase, xapic | 0x400, at(0)));
    EXPECT_FALSE(apic.msr_write(kMSRBase, xapic, at(0)));  // x2APIC -> xAPIC
    EXPECT_TRUE(apic.msr_write(kMSRBase, xapic & ~u64{0x800}, at(0)));
    EXPECT_FALSE(apic.msr_write(kMSRBase, xapic | u64{1} << 60, at(0)));
}

TEST_F(LocalAPICTest, MemoryMappedRegisters) {
    LocalAPIC apic{3, LocalAPIC::Role::kApplicationProcessor, bus};
    EXPECT_EQ(apic.mapped_base(), PhysicalAddress{LocalAPIC::kDefaultBase});
    EXPECT_EQ(apic.read(0x20, 4, at(0)), 3u << 24);
    EXPECT_EQ(apic.read(0x23, 1, at(0)), 3u);
    EXPECT_EQ(apic.read(0x30, 4, at(0)), 0x50014u);
    apic.write(0xd0, 4, ~u64{0}, at(0));
    EXPECT_EQ(apic.read(0xd0, 4, at(0)), 0xff000000u);
    apic.write(0xe0, 4, 0, at(0));
    EXPECT_EQ(apic.read(0xe0, 4, at(0)), 0x0fffffffu);
    apic.write(0x350, 4, 0x700, at(0));  // software-disabled: stays masked
    EXPECT_EQ(apic.read(0x350, 4, at(0)), 0x10700u);
    apic.read(0x10, 4, at(0));  // a reserved register
    apic.write(0x280, 4, 0, at(0));
    EXPECT_EQ(apic.read(0x280, 4, at(0)), 0x80u);
}

TEST_F(LocalAPICTest, OneShotTimer) {
    set(first, kX2Divide, 0x3);  // by 16
    set(first, kX2Timer, 0x30);
    set(first, kX2Initial, 100, 1000);
    EXPECT_EQ(first.next_event(), at(2600));
    EXPECT_EQ(get(first, kX2Current, 1000), 100u);
    EXPECT_EQ(get(first, kX2Current, 1015), 100u);
    EXPECT_EQ(get(first, kX2Current, 1016), 99u);
    first.run_events(at(2599));
    EXPECT_FALSE(first.interrupt_pending());
    first.run_events(at(2600));
    EXPECT_EQ(first.acknowledge(), 0x30);
    EXPECT_EQ(first.next_event(), kNever);
    EXPECT_EQ(get(first, kX2Current, 5000), 0u);
}

TEST_F(LocalAPICTest, PeriodicTimerKeepsItsPhase) {
    set(first, kX2Divide, 0xb);  // by 1
    set(first, kX2Timer, 0x30 | kPeriodic);
    set(first, kX2Initial, 1000, 500);
    EXPECT_EQ(first.next_event(), at(1500));
    first.run_events(at(4600));  // four expiries are one pending interrupt
    EXPECT_EQ(first.next_event(), at(5500));
    EXPECT_EQ(get(first, kX2Current, 4600), 900u);
    set(first, kX2Timer, 0x30 | kPeriodic | kMasked, 4700);
    EXPECT_EQ(first.next_event(), kNever);
    EXPECT_EQ(get(first, kX2Current, 7501), 999u);
    set(first, kX2Timer, 0x30 | kPeriodic, 7600);
    EXPECT_EQ(first.next_event(), at(8500));
    set(first, kX2Divide, 0x0, 7600);  // by 2: the 900 that are left take twice as long
    EXPECT_EQ(first.next_event(), at(9400));
}

TEST_F(LocalAPICTest, MaskedTimerLeavesNoTraceOfRunEvents) {
    set(first, kX2Timer, 0x30 | kPeriodic | kMasked);
    set(first, kX2Initial, 10, 0);
    const Digest before = hash_of(first);
    first.run_events(at(123456));
    EXPECT_EQ(hash_of(first), before);
}

TEST_F(LocalAPICTest, DeadlineTimer) {
    set(first, kMSRDeadline, 5000);  // not in that mode: ignored
    EXPECT_EQ(get(first, kMSRDeadline), 0u);
    set(first, kX2Timer, 0x40 | kDeadline);
    set(first, kMSRDeadline, 5000, 100);
    EXPECT_EQ(first.next_event(), at(5000));
    EXPECT_EQ(get(first, kMSRDeadline, 100), 5000u);
    first.run_events(at(5000));
    EXPECT_EQ(first.acknowledge(), 0x40);
    EXPECT_EQ(get(first, kMSRDeadline, 5000), 0u);
    set(first, kX2EOI, 0);
    set(first, kMSRDeadline, 10, 6000);  // in the past: at once
    EXPECT_EQ(first.acknowledge(), 0x40);
    set(first, kMSRDeadline, 9000, 6000);
    set(first, kX2Timer, 0x40, 6001);  // another mode disarms it
    EXPECT_EQ(first.next_event(), kNever);
    set(first, kX2Timer, 0x40 | kDeadline, 6002);
    EXPECT_EQ(first.next_event(), kNever);
}

TEST_F(LocalAPICTest, InterprocessorInterrupts) {
    set(first, kX2ICR, u64{1} << 32 | 0x55);  // physical, to 1
    EXPECT_FALSE(first.interrupt_pending());
    EXPECT_EQ(second.acknowledge(), 0x55);
    set(first, kX2ICR, u64{0x2} << 32 | 1u << 11 | 0x56);  // logical: cluster 0, bit 1
    set(second, kX2EOI, 0);
    EXPECT_EQ(second.acknowledge(), 0x56);
    set(first, kX2ICR, 3u << 18 | 4u << 8);  // NMI to all but self
    EXPECT_FALSE(first.take_nmi());
    EXPECT_TRUE(second.take_nmi());
    EXPECT_FALSE(second.take_nmi());
    set(first, kX2ICR, u64{kBroadcast} << 32 | 0x60);
    EXPECT_EQ(first.acknowledge(), 0x60);
    EXPECT_EQ(get(second, 0x823), 1u);  // IRR, bit 0x60
}

TEST_F(LocalAPICTest, LowestPriorityGoesToTheLeastBusy) {
    first.set_task_priority(2);
    set(first, kX2ICR, u64{kBroadcast} << 32 | 1u << 8 | 0x90);
    EXPECT_FALSE(first.interrupt_pending());
    EXPECT_EQ(second.acknowledge(), 0x90);
    set(first, kX2ICR, u64{kBroadcast} << 32 | 1u << 8 | 0x91);
    EXPECT_EQ(first.acknowledge(), 0x91);  // 0x20 is less than 0x90 in service
}

TEST_F(LocalAPICTest, InitAndStartup) {
    set(second, kX2Self, 0x77);
    set(first, kX2ICR, u64{1} << 32 | 5u << 8 | 1u << 14);
    set(first, kX2ICR, u64{1} << 32 | 6u << 8 | 0x9a);
    EXPECT_TRUE(second.take_init());
    EXPECT_EQ(second.take_startup(), u8{0x9a});
    EXPECT_FALSE(second.take_startup().has_value());
    EXPECT_FALSE(second.interrupt_pending());
    EXPECT_EQ(get(second, kX2SVR), 0xffu);
    EXPECT_EQ(get(second, kX2ID), 1u);
    set(first, kX2ICR, u64{1} << 32 | 5u << 8 | 1u << 15);  // de-assert: nothing
    EXPECT_FALSE(second.take_init());
}

TEST_F(LocalAPICTest, ErrorsAreRecordedAndInterruptOnce) {
    set(first, kX2Error, 0xfe);
    set(first, kX2Self, 3);
    EXPECT_EQ(first.acknowledge(), 0xfe);
    set(first, kX2ICR, 3);
    EXPECT_EQ(get(first, kX2ESR), 0u);
    set(first, kX2ESR, 0);
    EXPECT_EQ(get(first, kX2ESR), 0x60u);
    set(first, kX2Error, 5);  // an error interrupt that is an error itself
    set(first, kX2ICR, 3);
    set(first, kX2ESR, 0);
    EXPECT_EQ(get(first, kX2ESR), 0x60u);
}

TEST_F(LocalAPICTest, TellsItsListener) {
    struct Listener : InterruptListener {
        void interrupt_arrived(u32 apic_id) override { last = static_cast<int>(apic_id); }
        int last = -1;
    } listener;
    second.set_listener(&listener);
    set(first, kX2ICR, u64{1} << 32 | 0x55);
    EXPECT_EQ(listener.last, 1);
}

TEST_F(LocalAPICTest, CheckpointInMidOperation) {
    set(first, kX2Timer, 0x30 | kPeriodic);
    set(first, kX2Initial, 777, 10);
    set(first, kX2Self, 0x41);
    EXPECT_EQ(first.acknowledge(), 0x41);
    set(first, kX2Self, 0x51);
    LocalAPIC copy{0, LocalAPIC::Role::kBootProcessor, bus};
    copy_state(first, copy);
    for (LocalAPIC* apic : {&first, &copy}) {
        EXPECT_EQ(apic->next_event(), at(10 + 777 * 2));
        apic->run_events(at(5000));
        EXPECT_EQ(apic->acknowledge(), 0x51);
    }
    EXPECT_EQ(hash_of(first), hash_of(copy));
}

}  // namespace
}  // namespace uchronia::devices
