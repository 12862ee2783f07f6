#include "machine/base_image.h"

#include <cstring>
#include <string_view>

#include "base/prng.h"
#include "guest/hypercall.h"
#include "machine/acpi.h"
#include "machine/initramfs.h"
#include "machine/kernel_image.h"
#include "machine/kernel_locator.h"
#include "machine/linux_boot.h"
#include "machine/memory_layout.h"

namespace uchronia::machine {
namespace {

constexpr char kMagic[8] = {'U', 'C', 'H', 'R', 'B', 'A', 'S', 'E'};
constexpr u32 kVersion = 2;
// Raised with every change of the machine that makes the same boot give another state.
constexpr u32 kModelVersion = 5;

// A boot takes about 2 * 10^9 ticks; one that takes this many is stuck.
constexpr u64 kMostBootTicks = 100'000'000'000;
constexpr u64 kMostBootTime = 1'000'000'000'000;  // virtual nanoseconds

// The first page of the file; all integers little-endian, offsets in bytes from its start.
struct Header {
    char magic[8];
    u32 version;
    u32 vcpu_count;
    u64 memory_size;
    Digest ingredients;
    Digest state_digest;
    u64 disk_sector_count;
    Digest disk_contents;
    u64 cpu_model;
    u64 index_offset;
    u64 page_count;
    u64 state_offset;
    u64 state_size;
    u64 pages_offset;
    Digest content_digest;  // of index and state
    Digest header_digest;   // of all fields before
};
static_assert(sizeof(Header) <= kPageSize);

// One page with contents: where it goes, and its digest.
struct IndexEntry {
    u64 page_number;
    Digest digest;
};
static_assert(sizeof(IndexEntry) == 24);

u64 page_up(u64 value) {
    return (value + kPageMask) & ~kPageMask;
}

std::span<const u8> bytes_of(const auto& object) {
    return {reinterpret_cast<const u8*>(&object), sizeof object};
}

Digest digest_of_header(const Header& header) {
    return digest_of({reinterpret_cast<const u8*>(&header), offsetof(Header, header_digest)});
}

Error damaged(const std::string& path, const std::string& what) {
    return Error{"base image " + path + " " + what +
                 ". Remove the file; it is made again by the next run."};
}

// Random words of the boot: one fixed stream, whatever the seed of the run.
class BootDecisions final : public DecisionSource {
  public:
    u64 word(DecisionKind kind, u64 counter, Ticks) override {
        return random_word(kBootSeed, static_cast<u64>(kind), counter);
    }

  private:
    static constexpr u64 kBootSeed = 0x75636872;
};

// Passes everything on, and keeps the last lines of the console for an error message.
class BootOutside final : public Outside {
  public:
    explicit BootOutside(Outside& outside) : outside_(outside) {}
    void output(OutputStream stream, std::span<const u8> bytes) override {
        outside_.output(stream, bytes);
    }
    u64 input(u64, std::span<u8>) override { return 0; }
    void console(u8 byte) override {
        outside_.console(byte);
        last_ += static_cast<char>(byte);
        if (last_.size() > 2 * kKept)
            last_.erase(0, last_.size() - kKept);
    }
    void kernel_report(u64 kind, std::string_view text) override {
        outside_.kernel_report(kind, text);
    }
    void agent_log(u64 level, std::string_view text) override { outside_.agent_log(level, text); }

    const std::string& last() const { return last_; }

  private:
    static constexpr std::size_t kKept = 2000;
    Outside& outside_;
    std::string last_;
};

Status load(Machine& machine, const BaseIngredients& ingredients) {
    const Result<KernelImage> kernel =
        parse_kernel_image(ingredients.kernel.bytes(), ingredients.kernel_name);
    if (!kernel)
        return kernel.error();
    ACPIConfig acpi;
    acpi.vcpu_count = machine.config().vcpu_count;
    for (const Machine::VirtioSlot& slot : machine.virtio_slots())
        acpi.virtio.push_back(
            {.address = static_cast<u32>(slot.base.value), .interrupt = slot.interrupt});
    const PhysicalAddress tables(kFirmwareBegin);
    machine.ram().write(tables, build_acpi_tables(acpi, tables));
    const BootInput input{.kernel = *kernel,
                          .initramfs = ingredients.initramfs,
                          .memory_size = machine.config().memory_size,
                          .acpi_root_pointer = PhysicalAddress(kFirmwareBegin + kRSDPOffset)};
    cpu::CPUState state;
    if (Status status = load_linux(machine.ram(), input, state); !status)
        return status;
    machine.set_boot_state(state);
    return {};
}

// The word after "Linux version" in the kernel's banner, which begins with a digit.
std::string kernel_version_in(std::span<const u8> pages) {
    static constexpr std::string_view kBanner = "Linux version ";
    static constexpr std::size_t kLongest = 64;
    std::string_view text(reinterpret_cast<const char*>(pages.data()), pages.size());
    for (std::size_t at = 0; (at = text.find(kBanner, at)) != text.npos;) {
        at += kBanner.size();
        const std::string_view word = text.substr(at, kLongest);
        if (word.size() == kLongest && word[0] >= '0' && word[0] <= '9')
            return std::string(word.substr(0, word.find_first_of(std::string_view(" \0", 2))));
    }
    return {};
}

// Everything of the machine that is not zero, as one file.
std::vector<u8> serialise(Machine& machine, Digest ingredients) {
    Header header{};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    header.version = kVersion;
    header.vcpu_count = machine.config().vcpu_count;
    header.memory_size = machine.config().memory_size;
    header.ingredients = ingredients;
    header.disk_sector_count = machine.config().disk.sector_count;
    header.disk_contents = machine.config().disk.contents;
    header.cpu_model = static_cast<u64>(machine.config().cpu_model);
    header.state_digest = machine.state_digest();
    const Checkpoint checkpoint = machine.checkpoint();
    const Digest zero = digest_of(std::vector<u8>(kPageSize));
    std::vector<IndexEntry> index;
    checkpoint.ram->digest();  // every frame has its hash now
    for (u64 page = 0; page < checkpoint.ram->page_count(); ++page) {
        const memory::Frame* frame = checkpoint.ram->tree().frame(page);
        if (frame != nullptr && frame->hash != zero)
            index.push_back({page, frame->hash});
    }
    header.index_offset = kPageSize;
    header.page_count = index.size();
    header.state_offset = header.index_offset + index.size() * sizeof(IndexEntry);
    header.state_size = checkpoint.state.size();
    header.pages_offset = page_up(header.state_offset + header.state_size);
    std::vector<u8> file(header.pages_offset + index.size() * kPageSize);
    std::memcpy(file.data() + header.index_offset, index.data(), index.size() * sizeof(IndexEntry));
    std::memcpy(file.data() + header.state_offset, checkpoint.state.data(), header.state_size);
    u8* page = file.data() + header.pages_offset;
    for (const IndexEntry& entry : index) {
        std::memcpy(page, checkpoint.ram->page(entry.page_number), kPageSize);
        page += kPageSize;
    }
    header.content_digest =
        digest_of({file.data() + header.index_offset,
                   header.state_offset + header.state_size - header.index_offset});
    header.header_digest = digest_of_header(header);
    std::memcpy(file.data(), &header, sizeof header);
    return file;
}

// Whether the parts lie one after the other inside `size` bytes.
bool layout_fits(const Header& header, u64 size) {
    if (header.page_count > size / kPageSize || header.state_size > size)
        return false;
    const u64 state_offset = kPageSize + header.page_count * sizeof(IndexEntry);
    return header.index_offset == kPageSize && header.state_offset == state_offset &&
           header.pages_offset == page_up(state_offset + header.state_size) &&
           header.pages_offset + header.page_count * kPageSize == size;
}

bool is_possible_machine(const Header& header) {
    constexpr u64 kMemoryUnit = u64{2} << 20;
    const bool has_model = header.cpu_model == static_cast<u64>(cpu::CPUModel::kV2) ||
                           header.cpu_model == static_cast<u64>(cpu::CPUModel::kV3);
    return header.memory_size != 0 && header.memory_size % kMemoryUnit == 0 &&
           header.memory_size <= kMaximumMemorySize && header.vcpu_count != 0 &&
           header.vcpu_count <= kMostVCPUs && has_model;
}

}  // namespace

Digest BaseIngredients::digest() const {
    const Digest parts[] = {digest_of(kernel.bytes()), digest_of(initramfs),
                            digest_of(kKernelCommandLine)};
    const u64 numbers[] = {config.memory_size,
                           config.vcpu_count,
                           config.disk.sector_count,
                           config.disk.contents.low,
                           config.disk.contents.high,
                           kModelVersion,
                           UCHRONIA_ABI,
                           static_cast<u64>(config.cpu_model)};
    std::vector<u8> all;
    for (const std::span<const u8> part : {bytes_of(parts), bytes_of(numbers)})
        all.insert(all.end(), part.begin(), part.end());
    return digest_of(all);
}

Result<BaseIngredients> read_ingredients(const KernelFiles& kernel, const std::string& agent_path,
                                         const MachineConfig& config) {
    Result<host::MappedFile> image = host::map_file(kernel.image);
    if (!image)
        return image.error();
    const Result<std::vector<u8>> agent = host::read_file(agent_path);
    if (!agent)
        return agent.error();
    const Result<std::vector<Module>> modules =
        read_modules(kernel.modules_folder, agent_modules());
    if (!modules)
        return modules.error();
    const Result<std::vector<u8>> device_names =
        host::read_file(kernel.modules_folder + "/modules.devname");
    return BaseIngredients{
        .kernel = std::move(*image),
        .kernel_name = kernel.image,
        .initramfs = build_initramfs(
            *agent, *modules, device_names ? std::span(*device_names) : std::span<const u8>()),
        .config = config};
}

Status boot_base_image(const BaseIngredients& ingredients, Outside& outside,
                       const std::string& path) {
    memory::FrameStore frames;
    Machine machine(frames, ingredients.config);
    if (Status status = load(machine, ingredients); !status)
        return status;
    BootDecisions decisions;
    BootOutside boot_outside(outside);
    machine.set_environment(
        {.decisions = &decisions, .outside = &boot_outside, .files = nullptr, .request = {}});
    const StopReason reason = machine.run(Ticks(kMostBootTicks), VirtualTime(kMostBootTime));
    if (reason.stop != Stop::kReady)
        return Error{"the kernel " + ingredients.kernel_name + " did not boot: " +
                     description_of(reason) + ". The end of its console:\n" + boot_outside.last()};
    return host::write_file_atomically(path, serialise(machine, ingredients.digest()));
}

Result<BaseImageSummary> summary_of_base_image(const std::string& path) {
    const Result<host::MappedFile> file = host::map_file(path);
    if (!file)
        return file.error();
    Header header{};
    if (file->bytes().size() < kPageSize)
        return damaged(path, "is truncated");
    std::memcpy(&header, file->bytes().data(), sizeof header);
    if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.version != kVersion ||
        header.header_digest != digest_of_header(header))
        return damaged(path, "is of another version of Uchronia, or corrupt");
    return BaseImageSummary{.digest = header.ingredients,
                            .memory_size = header.memory_size,
                            .vcpu_count = header.vcpu_count,
                            .cpu_model = static_cast<cpu::CPUModel>(header.cpu_model),
                            .has_disk = header.disk_sector_count != 0,
                            .kernel_version = kernel_version_in(file->bytes())};
}

Result<std::unique_ptr<BaseImage>> BaseImage::open(const std::string& path, const Disk& disk) {
    Result<host::MappedFile> file = host::map_file(path);
    if (!file)
        return file.error();
    const std::span<const u8> bytes = file->bytes();
    Header header{};
    if (bytes.size() < kPageSize)
        return damaged(path, "is truncated");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0)
        return damaged(path, "is not a base image of Uchronia");
    if (header.version != kVersion)
        return damaged(path, "has version " + std::to_string(header.version) +
                                 "; this Uchronia reads version " + std::to_string(kVersion));
    if (header.header_digest != digest_of_header(header))
        return damaged(path, "is corrupt (header)");
    if (!layout_fits(header, bytes.size()))
        return damaged(path, "is truncated");
    if (!is_possible_machine(header))
        return damaged(path, "is of a machine that cannot be");
    const u64 content_size = header.state_offset + header.state_size - header.index_offset;
    if (header.content_digest != digest_of(bytes.subspan(header.index_offset, content_size)))
        return damaged(path, "is corrupt (index)");
    if (header.disk_sector_count != disk.sector_count || header.disk_contents != disk.contents)
        return Error{"base image " + path + " was made with another disk"};
    std::unique_ptr<BaseImage> image(new BaseImage);
    image->digest_ = header.ingredients;
    image->config_ = {.memory_size = header.memory_size,
                      .vcpu_count = header.vcpu_count,
                      .cpu_model = static_cast<cpu::CPUModel>(header.cpu_model),
                      .disk = disk};
    image->state_digest_ = header.state_digest;
    image->index_ = bytes.subspan(header.index_offset, header.page_count * sizeof(IndexEntry));
    image->state_ = bytes.subspan(header.state_offset, header.state_size);
    image->pages_ = bytes.data() + header.pages_offset;
    image->page_count_ = header.page_count;
    for (u64 i = 0; i < header.page_count; ++i) {
        IndexEntry entry;
        std::memcpy(&entry, image->index_.data() + i * sizeof entry, sizeof entry);
        if (digest_of({image->pages_ + i * kPageSize, kPageSize}) != entry.digest)
            return damaged(path, "is corrupt (page " + std::to_string(entry.page_number) + ")");
    }
    image->file_ = std::move(*file);
    return image;
}

Status BaseImage::start(Machine& machine, memory::FrameStore& frames) const {
    std::vector<memory::PageTree::Change> pages;
    pages.reserve(page_count_);
    for (u64 i = 0; i < page_count_; ++i) {
        IndexEntry entry;
        std::memcpy(&entry, index_.data() + i * sizeof entry, sizeof entry);
        if (machine.ram().read_page(entry.page_number) == nullptr ||
            (i != 0 && entry.page_number <= pages.back().page_number)) {
            for (const memory::PageTree::Change& page : pages)
                frames.release(page.frame);
            return Error{
                "the base image has a page outside the machine's memory. Remove it; it is "
                "made again by the next run."};
        }
        pages.push_back({entry.page_number, frames.borrow(pages_ + i * kPageSize, entry.digest)});
    }
    machine.ram().place(pages);
    return machine.restore({machine.ram().snapshot(), {state_.begin(), state_.end()}});
}

}  // namespace uchronia::machine
