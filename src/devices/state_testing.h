// For the tests of devices: a checkpoint in the middle of an operation.
#pragma once

#include <gtest/gtest.h>

#include "base/state_io.h"
#include "devices/device.h"

namespace uchronia::devices {

// Saves `from` and loads it into `to` (constructed alike): both then have the same state.
template <class Component>
void copy_state(Component& from, Component& to) {
    SavingVisitor saving;
    from.fields(saving);
    LoadingVisitor loading(saving.saved());
    to.fields(loading);
    EXPECT_TRUE(loading.status().ok());
    EXPECT_EQ(hash_of(from), hash_of(to));
}

// An interrupt line that counts its rising edges.
class RecordingLine final : public InterruptLine {
  public:
    void set(bool level_) override {
        edges += level_ && !level ? 1 : 0;
        level = level_;
    }
    bool level = false;
    int edges = 0;
};

}  // namespace uchronia::devices
