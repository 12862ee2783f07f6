// Whatever lies in a history's folder of checkpoints, also with checksums that fit: what is loaded
// is what was saved, or an Error; and what is saved anew can be loaded.
#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/check.h"
#include "history/checkpoint_store.h"
#include "history/compression.h"
#include "host/files.h"
#include "image/testing.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

using history::CheckpointStore;
using history::StoredMoment;

// docs/format-checkpoints.md.
constexpr u64 kHeader = 88, kEntryCount = 12, kStateSize = 32, kFrameDigest = 56,
              kHeaderDigest = 72, kEntry = 8;

constexpr u64 kMemorySize = u64{2} << 20;
constexpr unsigned kCheckpoints = 3;

void damage(Input& input, std::vector<u8>& bytes) {
    static constexpr u8 kBytes[] = {0, 1, 0x7f, 0x80, 0xff};
    for (u64 count = 1 + input.below(6); count != 0 && !bytes.empty(); --count) {
        const u64 at =
            input.below(input.percent(50) ? std::min<u64>(bytes.size(), 96) : bytes.size());
        const u8 byte = input.percent(50) ? input.pick(kBytes) : input.byte();
        const u64 end = std::min<u64>(bytes.size(), at + (input.percent(70) ? 1 : input.below(40)));
        std::fill(bytes.begin() + static_cast<i64>(at), bytes.begin() + static_cast<i64>(end),
                  byte);
        if (input.percent(10))
            bytes.resize(at);
        if (input.percent(10))
            bytes.resize(bytes.size() + input.below(9000), byte);
    }
}

void seal(std::vector<u8>& file) {
    if (file.size() < kHeader)
        return;
    put(file, kFrameDigest, digest_of(std::span(file).subspan(kHeader)));
    put(file, kHeaderDigest, digest_of(std::span(file).first(kHeaderDigest)));
}

// The entries and the state of a checkpoint, damaged, in a file without a fault.
void damage_contents(Input& input, std::vector<u8>& file) {
    if (file.size() < kHeader)
        return;
    const std::span<const u8> frame = std::span(file).subspan(kHeader);
    const u64 size = value_at<u32>(file, kEntryCount) * kEntry + value_at<u64>(file, kStateSize);
    std::optional<std::vector<u8>> contents = history::decompress(frame, size);
    if (!contents)
        return;
    damage(input, *contents);
    const std::vector<u8> packed = history::compress(*contents);
    file.resize(kHeader);
    file.insert(file.end(), packed.begin(), packed.end());
    if (input.percent(70)) {
        const u64 entries = std::min<u64>(input.below(20), contents->size() / kEntry);
        put(file, kEntryCount, static_cast<u32>(entries));
        put(file, kStateSize, u64{contents->size() - entries * kEntry});
    }
    seal(file);
}

class Folder {
  public:
    explicit Folder(Input& input) : input_(input) {
        for (u64 page = 1; page < 5; ++page)
            ram_.write_page(page)[0] = static_cast<u8>(page);
        start_ = ram_.snapshot();
        for (unsigned i = 0; i < kCheckpoints; ++i)
            make_checkpoint(i);
    }

    void act() {
        const unsigned number = static_cast<unsigned>(input_.below(kCheckpoints));
        switch (input_.below(6)) {
            case 0:
            case 1:
                return damage_a_file();
            case 2:
                return static_cast<void>(save(store(), number));
            case 3:
                return list();
            case 4:
                // Another process.
                stores_[input_.below(std::size(stores_))] =
                    std::make_unique<CheckpointStore>(path());
                return;
            default:
                return static_cast<void>(can_load(store(), number));
        }
    }

    // At most one load finds what is wrong, and then there is nothing any more.
    void check_that_it_heals() {
        CheckpointStore first(path());
        if (is_blocked_ || !save(first, 0))
            return;
        if (!can_load(first, 0)) {
            CHECK(save(first, 0));
            CHECK(can_load(first, 0));
        }
        CheckpointStore second(path());
        CHECK(can_load(second, 0));
    }

  private:
    static StoredMoment moment(unsigned number) {
        return {Ticks(10 * (number + 1)), VirtualTime(100 * (number + 1))};
    }
    std::string path() const { return folder_ / "checkpoints"; }
    std::string name_of(unsigned number) const {
        return std::to_string(moment(number).tick.value) + "." +
               std::to_string(moment(number).time.value) + ".checkpoint";
    }

    void make_checkpoint(unsigned number) {
        for (u64 page = number; page < number + 4; ++page)
            ram_.write_page(page)[7] = static_cast<u8>(number * page);
        ram_.write_page(400 + number)[9] = 1;
        ram_.write_page(number + 1)[0] = 0;
        checkpoints_[number] = {ram_.snapshot(), std::vector<u8>(20 + number, 'a')};
        CheckpointStore store(path());
        CHECK(store.save(moment(number), checkpoints_[number], *start_).ok());
    }

    CheckpointStore& store() { return *stores_[input_.below(std::size(stores_))]; }

    bool save(CheckpointStore& store, unsigned number) {
        const bool saved = store.save(moment(number), checkpoints_[number], *start_).ok();
        if (saved)
            is_state_forged_[number] = false;
        return saved;
    }

    bool can_load(CheckpointStore& store, unsigned number) {
        const auto loaded = store.load(moment(number), frames_, *start_);
        if (!loaded)
            return false;
        const machine::Checkpoint& expected = checkpoints_[number];
        CHECK(loaded->state == expected.state || is_state_forged_[number]);
        for (u64 page = 0; page < kMemorySize >> kPageBits; ++page)
            CHECK(std::memcmp(loaded->ram->page(page), expected.ram->page(page), kPageSize) == 0);
        memory::RAM other(frames_, kMemorySize);
        other.restore(loaded->ram);
        other.write_page(1)[5] = 1;  // of its own
        CHECK(loaded->ram->digest() == expected.ram->digest());
        return true;
    }

    void list() {
        const std::vector<StoredMoment> moments = store().moments();
        CHECK(std::is_sorted(moments.begin(), moments.end()));
        for (const StoredMoment& moment : moments) {
            // Files with such names that nobody has saved.
            if (moment.tick.value > 10 * kCheckpoints)
                static_cast<void>(store().load(moment, frames_, *start_).ok());
        }
    }

    // As another process would: with a new file, so that what is mapped stays.
    void replace(const std::string& name, const std::vector<u8>& bytes) {
        std::filesystem::remove_all(path() + "/" + name);
        std::filesystem::create_directories(path());
        CHECK(host::append_to_file(path() + "/" + name, bytes).ok());
    }

    void damage_a_file() {
        const unsigned number = static_cast<unsigned>(input_.below(kCheckpoints));
        const std::string names[] = {name_of(number), name_of(number), "digests", "pages"};
        const std::string name = input_.pick(names);
        const Result<std::vector<u8>> old = host::read_file(path() + "/" + name);
        std::vector<u8> bytes = old ? *old : std::vector<u8>(input_.below(5000), input_.byte());
        const bool is_checkpoint = name == names[0];
        switch (input_.below(8)) {
            case 0:
                std::filesystem::remove_all(path() + "/" + name);
                return;
            case 1:
                if (!input_.percent(20))
                    break;
                std::filesystem::remove_all(path() + "/" + name);
                std::filesystem::create_directories(path() + "/" + name);
                is_blocked_ = true;  // it will not be removed
                return;
            case 2:
                if (is_checkpoint)
                    return replace(name_of(static_cast<unsigned>(input_.below(kCheckpoints + 9))),
                                   bytes);
                break;
            case 3:
            case 4:
                if (!is_checkpoint)
                    break;
                damage_contents(input_, bytes);
                is_state_forged_[number] = true;
                return replace(name, bytes);
            default:
                break;
        }
        damage(input_, bytes);
        if (is_checkpoint && input_.percent(50)) {
            seal(bytes);
            is_state_forged_[number] = true;
        }
        replace(name, bytes);
    }

    Input& input_;
    const image::TestFolder folder_;
    // They have the mapped pages, and outlive whose frames these are.
    std::unique_ptr<CheckpointStore> stores_[2] = {std::make_unique<CheckpointStore>(path()),
                                                   std::make_unique<CheckpointStore>(path())};
    memory::FrameStore frames_;
    memory::RAM ram_{frames_, kMemorySize};
    std::shared_ptr<const memory::RAMSnapshot> start_;
    machine::Checkpoint checkpoints_[kCheckpoints];
    bool is_state_forged_[kCheckpoints] = {};
    bool is_blocked_ = false;
};

}  // namespace

std::vector<std::vector<u8>> seeds() {
    return {};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia::fuzz;
    Input input(data, size);
    Folder folder(input);
    for (unsigned long count = 1 + input.below(30); count != 0; --count)
        folder.act();
    folder.check_that_it_heals();
    return 0;
}
