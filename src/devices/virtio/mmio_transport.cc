#include "devices/virtio/mmio_transport.h"

namespace uchronia::devices {
namespace {

// Section 4.2.2, table "MMIO Device Register Layout".
enum Register : u64 {
    kMagicValue = 0x000,
    kVersion = 0x004,
    kDeviceID = 0x008,
    kVendorID = 0x00c,
    kDeviceFeatures = 0x010,
    kDeviceFeaturesSel = 0x014,
    kDriverFeatures = 0x020,
    kDriverFeaturesSel = 0x024,
    kQueueSel = 0x030,
    kQueueNumMax = 0x034,
    kQueueNum = 0x038,
    kQueueReady = 0x044,
    kQueueNotify = 0x050,
    kInterruptStatus = 0x060,
    kInterruptACK = 0x064,
    kStatus = 0x070,
    kQueueDescLow = 0x080,
    kQueueDescHigh = 0x084,
    kQueueDriverLow = 0x090,
    kQueueDriverHigh = 0x094,
    kQueueDeviceLow = 0x0a0,
    kQueueDeviceHigh = 0x0a4,
    kSHMLenLow = 0x0b0,
    kSHMLenHigh = 0x0b4,
    kSHMBaseLow = 0x0b8,
    kSHMBaseHigh = 0x0bc,
    kConfigGeneration = 0x0fc,
    kConfig = 0x100,
};

constexpr u32 kMagic = 0x74726976;    // "virt"
constexpr u32 kVendor = 0x52484355;   // "UCHR"
constexpr u32 kNoSharedMemory = ~0u;  // Section 4.2.2: the length of a region that is not there.
constexpr u32 kInterruptUsed = 1;     // A buffer was used in some queue.
constexpr u32 kInterruptChanged = 2;  // The configuration or DEVICE_NEEDS_RESET changed.

// Section 2.1, the device status field.
constexpr u32 kDriverOK = 4;
constexpr u32 kFeaturesOK = 8;
constexpr u32 kNeedsReset = 64;
constexpr u32 kFailed = 128;
constexpr u32 kDriverBits = 1 | 2 | kDriverOK | kFeaturesOK | kFailed;

// Section 6, reserved feature bits.
constexpr u64 kFeatureIndirect = u64{1} << 28;
constexpr u64 kFeatureVersion1 = u64{1} << 32;

void set_half(u64& value, u64 offset, u32 half) {
    const unsigned shift = offset % 8 == 0 ? 0 : 32;
    value = (value & ~(u64{0xffffffff} << shift)) | u64{half} << shift;
}

u32 half_of(u64 value, u32 select) {
    return select < 2 ? static_cast<u32>(value >> (32 * select)) : 0;
}

}  // namespace

VirtioMMIO::VirtioMMIO(std::unique_ptr<VirtioDevice> device, memory::GuestMemory& memory,
                       InterruptLine& interrupt)
    : device_(std::move(device)), memory_(memory), interrupt_(interrupt) {
    for (const u16 size : device_->queue_sizes())
        queues_.emplace_back(size);
}

void VirtioMMIO::fields(FieldVisitor& v) {
    v("status", status_);
    v("interrupt_status", interrupt_status_);
    v("device_features_select", device_features_select_);
    v("driver_features_select", driver_features_select_);
    v("queue_select", queue_select_);
    v("driver_features", driver_features_);
    for (VirtQueue& queue : queues_)
        v("queue", queue);
    v("device", *device_);
}

u64 VirtioMMIO::read(u64 offset, unsigned size, VirtualTime) {
    if (offset >= kConfig)
        return read_config(offset - kConfig, size);
    return size == 4 && offset % 4 == 0 ? read_register(offset) : 0;
}

void VirtioMMIO::write(u64 offset, unsigned size, u64 value, VirtualTime) {
    // No device has a writable configuration field.
    if (offset < kConfig && size == 4 && offset % 4 == 0)
        write_register(offset, static_cast<u32>(value));
}

u64 VirtioMMIO::read_config(u64 offset, unsigned size) const {
    const std::span<const u8> config = device_->config();
    u64 value = 0;
    for (unsigned i = 0; i < size && offset + i < config.size(); ++i)
        value |= u64{config[offset + i]} << (8 * i);
    return value;
}

u32 VirtioMMIO::read_register(u64 offset) const {
    const VirtQueue* const queue = selected_queue();
    switch (offset) {
        case kMagicValue:
            return kMagic;
        case kVersion:
            return 2;
        case kDeviceID:
            return device_->id();
        case kVendorID:
            return kVendor;
        case kDeviceFeatures:
            return half_of(offered_features(), device_features_select_);
        case kQueueNumMax:
            return queue ? queue->maximum_size() : 0;
        case kQueueReady:
            return queue && queue->ready() ? 1 : 0;
        case kInterruptStatus:
            return interrupt_status_;
        case kStatus:
            return status_;
        case kSHMLenLow:
        case kSHMLenHigh:
        case kSHMBaseLow:
        case kSHMBaseHigh:
            return kNoSharedMemory;
        case kConfigGeneration:
        default:  // Write-only and reserved registers.
            return 0;
    }
}

void VirtioMMIO::write_register(u64 offset, u32 value) {
    switch (offset) {
        case kDeviceFeaturesSel:
            device_features_select_ = value;
            break;
        case kDriverFeaturesSel:
            driver_features_select_ = value;
            break;
        case kDriverFeatures:
            // Section 2.2.1: features are final once FEATURES_OK is set.
            if (!(status_ & kFeaturesOK) && driver_features_select_ < 2)
                set_half(driver_features_, 4 * driver_features_select_, value);
            break;
        case kQueueSel:
            queue_select_ = value;
            break;
        case kQueueNotify:
            notify(value);
            break;
        case kInterruptACK:
            interrupt_status_ &= ~value;
            interrupt_.set(interrupt_status_ != 0);
            break;
        case kStatus:
            write_status(value);
            break;
        default:
            write_queue_register(offset, value);
    }
}

void VirtioMMIO::write_queue_register(u64 offset, u32 value) {
    VirtQueue* const queue = selected_queue();
    if (!queue)
        return;
    if (offset == kQueueReady)
        return write_queue_ready(*queue, value);
    // Section 4.2.2.2: the driver must not change these of a queue in use.
    if (queue->ready())
        return;
    switch (offset) {
        case kQueueNum:
            queue->layout().size = value;
            break;
        case kQueueDescLow:
        case kQueueDescHigh:
            set_half(queue->layout().descriptor_table, offset, value);
            break;
        case kQueueDriverLow:
        case kQueueDriverHigh:
            set_half(queue->layout().available_ring, offset, value);
            break;
        case kQueueDeviceLow:
        case kQueueDeviceHigh:
            set_half(queue->layout().used_ring, offset, value);
            break;
        default:  // Read-only and reserved registers.
            break;
    }
}

void VirtioMMIO::write_queue_ready(VirtQueue& queue, u32 value) {
    if (value == 0)
        queue.disable();
    else if (!queue.ready() && !queue.enable())
        need_reset();
}

void VirtioMMIO::write_status(u32 value) {
    if (value == 0)
        return reset();
    // Section 2.1.1: bits are only added; DEVICE_NEEDS_RESET is the device's.
    u32 added = value & ~status_ & kDriverBits;
    if ((added & kFeaturesOK) && !features_acceptable())
        added &= ~kFeaturesOK;
    if (!((status_ | added) & kFeaturesOK))
        added &= ~kDriverOK;
    status_ |= added;
}

u64 VirtioMMIO::offered_features() const {
    return device_->features() | kFeatureIndirect | kFeatureVersion1;
}

bool VirtioMMIO::features_acceptable() const {
    return (driver_features_ & ~offered_features()) == 0 && (driver_features_ & kFeatureVersion1);
}

VirtQueue* VirtioMMIO::selected_queue() {
    return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
}

const VirtQueue* VirtioMMIO::selected_queue() const {
    return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
}

void VirtioMMIO::reset() {
    status_ = interrupt_status_ = 0;
    device_features_select_ = driver_features_select_ = queue_select_ = 0;
    driver_features_ = 0;
    for (VirtQueue& queue : queues_)
        queue.reset();
    device_->reset();
    interrupt_.set(false);
}

void VirtioMMIO::notify(u32 queue_index) {
    if (!(status_ & kDriverOK) || (status_ & (kNeedsReset | kFailed)) ||
        queue_index >= queues_.size() || !queues_[queue_index].ready())
        return;
    // Read once: a request that overwrites the ring cannot keep us here.
    const std::optional<u16> pending = queues_[queue_index].pending(memory_);
    if (!pending)
        return need_reset();
    for (u16 i = 0; i < *pending; ++i) {
        if (!serve_next(queue_index))
            return need_reset();
    }
    if (*pending != 0 && !queues_[queue_index].interrupts_suppressed(memory_))
        raise(kInterruptUsed);
}

bool VirtioMMIO::serve_next(u32 queue_index) {
    VirtQueue& queue = queues_[queue_index];
    DescriptorChain chain(memory_);
    const std::optional<u16> head = queue.pop(memory_, chain);
    if (!head)
        return false;
    const std::optional<u32> bytes_written = device_->serve(queue_index, chain);
    return bytes_written && queue.push_used(memory_, *head, *bytes_written);
}

// Section 2.1.2: after DRIVER_OK the driver is told by a configuration change notification.
void VirtioMMIO::need_reset() {
    status_ |= kNeedsReset;
    if (status_ & kDriverOK)
        raise(kInterruptChanged);
}

void VirtioMMIO::raise(u32 interrupt_bits) {
    interrupt_status_ |= interrupt_bits;
    interrupt_.set(true);
}

}  // namespace uchronia::devices
