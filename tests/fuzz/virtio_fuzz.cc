// Hostile drivers of every virtio device: random registers, rings and requests. The device stays
// within its bounds, and a copy of it made from its saved state does the same.
#include <linux/fuse.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>

#include "base/check.h"
#include "base/state_io.h"
#include "devices/virtio/block.h"
#include "devices/virtio/entropy.h"
#include "devices/virtio/file_system.h"
#include "devices/virtio/mmio_transport.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

using namespace devices;

constexpr u64 kMemorySize = 256 << 10;
constexpr u64 kTable = 0x1000, kAvailable = 0x6000, kUsed = 0x8000, kIndirect = 0xb000,
              kRequest = 0x10000, kReply = 0x18000;
constexpr u32 kQueueSize = 64;

class Memory final : public memory::GuestMemory {
  public:
    bool read(PhysicalAddress address, std::span<u8> to) const override {
        if (!contains(address.value, to.size()))
            return false;
        std::copy_n(bytes.begin() + static_cast<i64>(address.value), to.size(), to.begin());
        return true;
    }
    bool write(PhysicalAddress address, std::span<const u8> from) override {
        if (!contains(address.value, from.size()))
            return false;
        std::copy(from.begin(), from.end(), bytes.begin() + static_cast<i64>(address.value));
        return true;
    }

    std::vector<u8> bytes = std::vector<u8>(kMemorySize);

  private:
    static bool contains(u64 address, u64 size) {
        return address <= kMemorySize && size <= kMemorySize - address;
    }
};

class Line final : public InterruptLine {
  public:
    void set(bool) override {}
};

class Entropy final : public EntropySource {
  public:
    u64 next() override { return 0x0123456789abcdef; }
};

class Image final : public host::BlockImage {
  public:
    u64 sector_count() const override { return 100; }
    bool read(u64 sector, std::span<u8> bytes) override {
        CHECK(sector + bytes.size() / host::kSectorSize <= sector_count());
        std::fill(bytes.begin(), bytes.end(), static_cast<u8>(sector));
        return sector != 50;  // one that the host cannot read
    }
};

// /, /d, /d/f (10,000 bytes), /d/l -> f, and a hundred more names in /d.
class Files final : public host::FileSource {
  public:
    host::FileResult<host::FileAttributes> attributes(const std::string& path) override {
        if (path == "/" || path == "/d")
            return host::FileAttributes{.mode = S_IFDIR | 0755, .size = 4096};
        if (path == "/d/f")
            return host::FileAttributes{.mode = S_IFREG | 0644, .size = kSize};
        if (path == "/d/l")
            return host::FileAttributes{.mode = S_IFLNK | 0777, .size = 1};
        return host::FileError{path.starts_with("/d/n") ? EIO : ENOENT};
    }
    host::FileResult<std::shared_ptr<const host::DirectoryListing>> list(
        const std::string& path) override {
        host::DirectoryListing names;
        if (path == "/") {
            names.push_back({"d", S_IFDIR});
        } else if (path == "/d") {
            names = {{"f", S_IFREG}, {"l", S_IFLNK}};
            for (unsigned i = 100; i < 200; ++i)
                names.push_back({"n" + std::to_string(i), S_IFREG});
        } else {
            return host::FileError{ENOTDIR};
        }
        return std::make_shared<const host::DirectoryListing>(std::move(names));
    }
    host::FileResult<u64> read(const std::string& path, u64 offset, std::span<u8> bytes) override {
        if (path != "/d/f")
            return host::FileError{EISDIR};
        const u64 count = std::min<u64>(bytes.size(), offset < kSize ? kSize - offset : 0);
        std::fill_n(bytes.begin(), count, static_cast<u8>(offset));
        return count;
    }
    host::FileResult<std::string> read_link(const std::string& path) override {
        if (path != "/d/l")
            return host::FileError{EINVAL};
        return std::string("f");
    }

  private:
    static constexpr u64 kSize = 10'000;
};

enum class Kind : u8 { kEntropy, kBlock, kFileSystem, kCount };

// A device with its memory; `move` continues it in a new one made from its saved state.
class Rig {
  public:
    explicit Rig(Kind kind) : kind_(kind) { transport_ = make(); }

    void move() {
        SavingVisitor saving;
        transport_->fields(saving);
        transport_ = make();
        LoadingVisitor loading(saving.saved());
        transport_->fields(loading);
        CHECK(loading.status().ok());
    }
    // Any bytes as its state.
    void load(std::span<const u8> state) {
        LoadingVisitor loading(state);
        transport_->fields(loading);
    }
    VirtioMMIO& transport() { return *transport_; }
    Memory& memory() { return memory_; }
    std::vector<u8> state() {
        SavingVisitor saving;
        transport_->fields(saving);
        return saving.take();
    }

  private:
    std::unique_ptr<VirtioMMIO> make() {
        std::unique_ptr<VirtioDevice> device;
        if (kind_ == Kind::kEntropy)
            device = std::make_unique<VirtioEntropy>(entropy_);
        else if (kind_ == Kind::kBlock)
            device = std::make_unique<VirtioBlock>(std::make_unique<Image>(),
                                                   VirtioBlock::Access::kReadWrite, "serial");
        else
            device = std::make_unique<VirtioFileSystem>(files_, "tag");
        return std::make_unique<VirtioMMIO>(std::move(device), memory_, line_);
    }

    const Kind kind_;
    Memory memory_;
    Line line_;
    Entropy entropy_;
    Files files_;
    std::unique_ptr<VirtioMMIO> transport_;
};

// Drives two rigs alike.
class Driver {
  public:
    explicit Driver(Input& input)
        : input_(input),
          kind_(static_cast<Kind>(input.below(static_cast<u64>(Kind::kCount)))),
          a_(kind_),
          b_(kind_) {}

    void run() {
        if (input_.percent(95))
            start();
        for (u64 steps = 1 + input_.below(40); steps != 0; --steps)
            step();
        CHECK(a_.state() == b_.state());
        CHECK(a_.memory().bytes == b_.memory().bytes);
    }

  private:
    void set(u64 offset, u64 value, unsigned size = 4) {
        a_.transport().write(offset, size, value, VirtualTime(0));
        b_.transport().write(offset, size, value, VirtualTime(0));
    }
    void get(u64 offset, unsigned size) {
        CHECK(a_.transport().read(offset, size, VirtualTime(0)) ==
              b_.transport().read(offset, size, VirtualTime(0)));
    }
    template <class T>
    void put(u64 address, T value) {
        a_.memory().store(PhysicalAddress(address), value);
        b_.memory().store(PhysicalAddress(address), value);
    }

    // VIRTIO 1.2, 3.1.1, with both queues (if there are two) in the same place.
    void start() {
        set(0x70, 0);
        set(0x70, 3);
        set(0x24, 1);
        set(0x20, 1);
        set(0x24, 0);
        set(0x20, input_.percent(80) ? 1u << 28 : input_.word(4));
        set(0x70, 11);
        for (u32 queue = 0; queue < 2; ++queue) {
            set(0x30, queue);
            set(0x38, kQueueSize);
            set(0x80, kTable);
            set(0x90, kAvailable);
            set(0xa0, kUsed);
            set(0x44, 1);
        }
        set(0x70, 15);
        available_ = 0;
        if (kind_ == Kind::kFileSystem && input_.percent(95))
            initialise_file_system();
    }

    // INIT, which comes before all other requests.
    void initialise_file_system() {
        put(kRequest, u32{56});
        put(kRequest + 4, static_cast<u32>(FUSE_INIT));
        put(kRequest + 40, u32{7});
        put(kRequest + 44, u32{36});
        put(kRequest + 52, static_cast<u32>(input_.percent(80) ? ~0u : input_.word(4)));
        put_descriptor(kTable, kRequest, 56, 1, 1);
        put_descriptor(kTable + 16, kReply, 80, 2, 0);
        put(kAvailable + 4, u16{0});
        put(kAvailable + 2, ++available_);
        set(0x50, 1);
    }

    void step() {
        switch (input_.below(16)) {
            case 0:
                return set(4 * input_.below(0x60),
                           input_.percent(50) ? input_.below(20) : input_.word(4));
            case 1:
                return get(input_.below(0x210), 1u << input_.below(4));
            case 2:
                return b_.move();
            case 3:
                return input_.percent(30) ? start() : spoil();
            default:
                return send();
        }
    }

    // Something in memory changes, or the whole state is anything.
    void spoil() {
        if (input_.percent(70))
            return put(kTable + input_.below(0xb000), input_.word());
        std::vector<u8> state = a_.state();
        for (u64 count = 1 + input_.below(8); count != 0; --count)
            state[input_.below(state.size())] = input_.byte();
        a_.load(state);
        b_.load(state);
    }

    u64 put_request() {
        switch (kind_) {
            case Kind::kBlock:
                put(kRequest,
                    static_cast<u32>(input_.percent(80) ? input_.below(2) : input_.below(16)));
                put(kRequest + 8, input_.percent(90) ? input_.below(110) : input_.word());
                return 16;
            case Kind::kFileSystem:
                return put_fuse_request();
            default:
                return 0;
        }
    }

    u64 put_fuse_request() {
        static constexpr u32 kOften[] = {FUSE_LOOKUP, FUSE_GETATTR, FUSE_READ,     FUSE_READDIR,
                                         FUSE_INIT,   FUSE_OPEN,    FUSE_READLINK, FUSE_READDIRPLUS,
                                         FUSE_FORGET, FUSE_LSEEK};
        static constexpr const char* kNames[] = {"d", "f", "l", "n150", "..", "", "a/b"};
        const u32 opcode =
            static_cast<u32>(input_.percent(80) ? input_.pick(kOften) : input_.below(60));
        const u64 size = input_.percent(80) ? 40 + input_.below(80) : input_.below(5000);
        put(kRequest, static_cast<u32>(input_.percent(90) ? size : input_.word(4)));
        put(kRequest + 4, opcode);
        put(kRequest + 16, input_.percent(90) ? input_.below(6) : input_.word());
        for (u64 at = 40; at < 120; at += 8)
            put(kRequest + at, input_.percent(70) ? input_.below(5000) : input_.word());
        if (opcode == FUSE_INIT) {
            put(kRequest + 40, u32{7});
            put(kRequest + 44, static_cast<u32>(input_.percent(80) ? 36 : input_.below(50)));
        } else if (opcode == FUSE_LOOKUP && input_.percent(90)) {
            const char* name = input_.pick(kNames);
            for (u64 i = 0; i <= std::strlen(name); ++i)
                put(kRequest + 40 + i, static_cast<u8>(name[i]));
            put(kRequest, static_cast<u32>(40 + std::strlen(name) + 1));
            return 40 + std::strlen(name) + 1;
        }
        return size;
    }

    void put_descriptor(u64 at, u64 address, u64 size, u64 flags, u64 next) {
        put(at, address);
        put(at + 8, static_cast<u32>(size));
        put(at + 12, static_cast<u16>(flags));
        put(at + 14, static_cast<u16>(next));
    }

    u64 buffer_size() {
        switch (input_.below(4)) {
            case 0:
                return 512 * input_.below(20);
            case 1:
                return input_.word(4);
            default:
                return input_.below(5000);
        }
    }

    // Whether to depart from what a driver may do.
    bool wrong(u64 chance) { return !well_behaved_ && input_.percent(chance); }

    u64 next_of(u64 at) { return wrong(8) ? input_.below(70) : (at + 1) % kQueueSize; }

    // Puts a chain of buffers for the answer behind descriptor `at`.
    void put_buffers(u64 at, u64 count) {
        u64 writable = well_behaved_ ? 2 : 0;
        for (u64 i = 0; i < count; ++i) {
            const bool last = i + 1 == count;
            writable |= input_.percent(70) ? 2 : 0;  // from here on
            const u64 flags = writable | (last == wrong(5) ? 1 : 0);
            const u64 next = next_of(at);
            const u64 address = wrong(10) ? input_.word() : kReply + input_.below(0x20000);
            const bool is_status = last && kind_ == Kind::kBlock && !wrong(20);
            const u64 size = is_status ? 1 : well_behaved_ ? 4096 : buffer_size();
            if (wrong(10)) {
                put_descriptor(kIndirect, address, size, writable | 1, 1);
                put_descriptor(kIndirect + 16, kReply, 512, 2, input_.below(4));
                put_descriptor(kTable + 16 * at, kIndirect, 16 * (1 + input_.below(3)), 4, next);
            } else {
                put_descriptor(kTable + 16 * at, address, size, flags, next);
            }
            at = next % kQueueSize;
        }
    }

    void send() {
        well_behaved_ = input_.percent(60);
        const u64 request_size = put_request();
        const u64 head = input_.below(kQueueSize);
        const u64 count = wrong(10) ? input_.below(2 * kQueueSize) : 1 + input_.below(4);
        u64 at = head;
        if (request_size != 0) {
            const u64 next = next_of(at);
            put_descriptor(kTable + 16 * at, kRequest, request_size, 1, next);
            at = next % kQueueSize;
        }
        put_buffers(at, count);
        put(kAvailable + 4 + 2 * (available_ % kQueueSize), static_cast<u16>(head));
        available_ = static_cast<u16>(available_ + (wrong(10) ? input_.word(2) : 1));
        put(kAvailable + 2, available_);
        set(0x50, wrong(10) ? input_.below(4) : kind_ == Kind::kFileSystem ? 1 : 0);
    }

    Input& input_;
    const Kind kind_;
    Rig a_, b_;
    bool well_behaved_ = false;
    u16 available_ = 0;
};

}  // namespace

std::vector<std::vector<u8>> seeds() {
    return {};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    uchronia::fuzz::Input input(data, size);
    uchronia::fuzz::Driver(input).run();
    return 0;
}
