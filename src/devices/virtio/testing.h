// For the tests of virtio devices: a small guest that has memory and drives queues.
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "devices/state_testing.h"
#include "devices/virtio/mmio_transport.h"
#include "memory/guest_memory.h"

namespace uchronia::devices {

class FakeMemory final : public memory::GuestMemory {
  public:
    explicit FakeMemory(u64 size) : bytes(size) {}

    bool read(PhysicalAddress address, std::span<u8> to) const override {
        if (!contains(address, to.size()))
            return false;
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(address.value), to.size(),
                    to.begin());
        return true;
    }
    bool write(PhysicalAddress address, std::span<const u8> from) override {
        if (!contains(address, from.size()))
            return false;
        std::copy(from.begin(), from.end(),
                  bytes.begin() + static_cast<std::ptrdiff_t>(address.value));
        return true;
    }

    template <class T>
    T at(u64 address) const {
        T value{};
        EXPECT_TRUE(load(PhysicalAddress(address), value));
        return value;
    }
    template <class T>
    void put(u64 address, T value) {
        EXPECT_TRUE(store(PhysicalAddress(address), value));
    }

    std::vector<u8> bytes;

  private:
    bool contains(PhysicalAddress address, u64 size) const {
        return address.value <= bytes.size() && size <= bytes.size() - address.value;
    }
};

// Words 1, 2, 3…
class CountingEntropy final : public EntropySource {
  public:
    u64 next() override { return ++word; }
    u64 word = 0;
};

// One buffer of a chain.
struct Buffer {
    u64 address;
    u32 size;
    u16 flags;  // kWritable, or kReadable.
};
constexpr u16 kReadable = 0;
constexpr u16 kChained = 1;
constexpr u16 kWritable = 2;
constexpr u16 kIndirect = 4;

// A driver of one device with its queues in FakeMemory.
class FakeDriver {
  public:
    static constexpr u64 kMemorySize = 4 << 20;
    static constexpr u64 kRings = 0x10000;  // Queue q has its rings at kRings + q * kRingStride.
    static constexpr u64 kRingStride = 0x10000;
    static constexpr u64 kAvailable = 0x8000;
    static constexpr u64 kUsed = 0xa000;
    static constexpr u32 kQueueSize = 16;

    explicit FakeDriver(std::unique_ptr<VirtioDevice> device)
        : memory(kMemorySize), transport(std::move(device), memory, line) {}

    u32 get(u64 offset) { return static_cast<u32>(transport.read(offset, 4, VirtualTime(0))); }
    void set(u64 offset, u64 value) { transport.write(offset, 4, value, VirtualTime(0)); }

    u64 offered_features() {
        set(0x14, 0);
        const u64 low = get(0x10);
        set(0x14, 1);
        return low | u64{get(0x10)} << 32;
    }
    void accept_features(u64 features) {
        set(0x24, 0);
        set(0x20, features & 0xffffffff);
        set(0x24, 1);
        set(0x20, features >> 32);
    }
    void set_up_queue(u32 queue, u32 size = kQueueSize) {
        const u64 base = kRings + queue * kRingStride;
        set(0x30, queue);
        set(0x38, size);
        set(0x80, base);
        set(0x90, base + kAvailable);
        set(0xa0, base + kUsed);
        set(0x44, 1);
    }
    // The initialisation of section 3.1.1.
    void start(u32 queue_count = 1) {
        set(0x70, 0);
        set(0x70, 1);
        set(0x70, 3);
        accept_features(offered_features());
        set(0x70, 11);
        for (u32 queue = 0; queue < queue_count; ++queue)
            set_up_queue(queue);
        set(0x70, 15);
        heads_.assign(queue_count, 0);
    }

    void put_descriptor(u32 queue, u32 index, const Buffer& buffer, u16 next) {
        put_descriptor_at(kRings + queue * kRingStride + index * 16, buffer, next);
    }
    void put_descriptor_at(u64 at, const Buffer& buffer, u16 next) {
        memory.put(at, buffer.address);
        memory.put(at + 8, buffer.size);
        memory.put(at + 12, buffer.flags);
        memory.put(at + 14, next);
    }
    // Makes the chain that starts at descriptor `head` available.
    void offer(u32 queue, u16 head) {
        const u64 ring = kRings + queue * kRingStride + kAvailable;
        memory.put(ring + 4 + heads_[queue] % kQueueSize * 2, head);
        memory.put(ring + 2, ++heads_[queue]);
    }
    void notify(u32 queue) { set(0x50, queue); }

    // Sends one chain and returns the length of its used element; fails if there is none.
    u32 send(const std::vector<Buffer>& buffers, u32 queue = 0) {
        for (u32 i = 0; i < buffers.size(); ++i) {
            Buffer buffer = buffers[i];
            if (i + 1 < buffers.size())
                buffer.flags |= kChained;
            put_descriptor(queue, i, buffer, static_cast<u16>(i + 1));
        }
        const u16 before = used_index(queue);
        offer(queue, 0);
        notify(queue);
        EXPECT_EQ(used_index(queue), static_cast<u16>(before + 1));
        return memory.at<u32>(kRings + queue * kRingStride + kUsed + 4 + before % kQueueSize * 8 +
                              4);
    }
    u16 used_index(u32 queue) { return memory.at<u16>(kRings + queue * kRingStride + kUsed + 2); }
    bool needs_reset() { return get(0x70) & 64; }

    FakeMemory memory;
    RecordingLine line;
    VirtioMMIO transport;

  private:
    std::vector<u16> heads_;
};

}  // namespace uchronia::devices
