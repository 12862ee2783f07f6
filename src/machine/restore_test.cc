// Restoring states that no machine ever saved: each is refused or made harmless.
#include <gtest/gtest.h>

#include "base/state_io.h"
#include "machine/machine.h"

namespace uchronia::machine {
namespace {

class Restore : public testing::Test {
  protected:
    // The saved state with the bytes of one field replaced, restored.
    Status restore_with(std::string_view path, u64 value) {
        ListingVisitor listing;
        machine_.fields(listing);
        Checkpoint checkpoint = machine_.checkpoint();
        checkpoint.state.clear();
        bool found = false;
        for (FieldValue field : listing.values()) {
            if (field.path == path) {
                found = true;
                for (u8& byte : field.bytes) {
                    byte = static_cast<u8>(value);
                    value >>= 8;
                }
            }
            checkpoint.state.insert(checkpoint.state.end(), field.bytes.begin(), field.bytes.end());
        }
        EXPECT_TRUE(found) << path;
        return machine_.restore(checkpoint);
    }

    memory::FrameStore frames_;
    Machine machine_{frames_, {.memory_size = u64{2} << 20, .vcpu_count = 1}};
};

TEST_F(Restore, TakesItsOwnState) {
    EXPECT_TRUE(restore_with("ticks", 0).ok());
}

TEST_F(Restore, RefusesImpossibleTimes) {
    EXPECT_FALSE(restore_with("ticks", ~u64{0}).ok());
    EXPECT_TRUE(restore_with("ticks", 1000).ok());
    EXPECT_FALSE(restore_with("next_stall", 999).ok());
}

TEST_F(Restore, RefusesAnOpenPowerRequest) {
    EXPECT_FALSE(restore_with("acpi_power.request", 1).ok());
    EXPECT_FALSE(restore_with("acpi_power.request", 200).ok());
}

TEST_F(Restore, RefusesACPUThatIsHaltedInsideAnInstruction) {
    EXPECT_TRUE(restore_with("cpu0.halted", 1).ok());
    EXPECT_FALSE(restore_with("cpu0.interrupt_shadow", 1).ok());
}

TEST_F(Restore, MakesFieldsDefined) {
    ASSERT_TRUE(restore_with("cpu0.halted", 0xfe).ok());
    SavingVisitor saving;
    machine_.vcpu(0).state.fields(saving);
    EXPECT_EQ(saving.saved()[saving.saved().size() - 4], 1);
    ASSERT_TRUE(restore_with("cpu0.mxcsr", 0xffff'1f80).ok());
    EXPECT_EQ(machine_.vcpu(0).state.mxcsr, 0x1f80u);
}

}  // namespace
}  // namespace uchronia::machine
