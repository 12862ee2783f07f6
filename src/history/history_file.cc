#include "history/history_file.h"

#include <cstring>

#include "base/state_io.h"
#include "history/bundle.h"
#include "history/compression.h"
#include "history/configuration.h"
#include "host/files.h"

namespace uchronia::history {
namespace {

constexpr char kMagic[8] = {'U', 'C', 'H', 'R', 'H', 'I', 'S', 'T'};
// Version 2: with holds; version 3: with visits. What has none is written as version 1, which older
// programs read.
constexpr u32 kVersion = 3;
constexpr u64 kLargestSection = u64{1} << 30;  // bytes, unpacked

// All integers are little-endian.
struct FileHeader {
    char magic[8];
    u32 version;
    u32 section_count;
};
static_assert(sizeof(FileHeader) == 16);

// The sections, each once and in this order.
enum class SectionType : u32 { kConfiguration = 1, kInput = 2, kChain = 3, kRecord = 4 };
constexpr u32 kSectionCount = 4;

enum class Encoding : u32 { kPlain = 0, kZstd = 1 };

struct SectionHeader {
    SectionType type;
    Encoding encoding;
    u64 stored_size;   // in the file
    u64 content_size;  // unpacked
    Digest digest;     // of the fields above and the stored bytes
};
static_assert(sizeof(SectionHeader) == 40);

Error damaged(const std::string& name, const std::string& why) {
    return Error{"the history " + name + " is damaged: " + why +
                 ". Get the file again from where it came from, or run its command again"};
}

Digest digest_of_section(const SectionHeader& header, std::span<const u8> stored) {
    const Digest fields =
        digest_of({reinterpret_cast<const u8*>(&header), offsetof(SectionHeader, digest)});
    return digest_of(stored, fields.low);
}

void append(std::vector<u8>& file, std::span<const u8> bytes) {
    file.insert(file.end(), bytes.begin(), bytes.end());
}

void append_section(std::vector<u8>& file, SectionType type, Encoding encoding,
                    std::span<const u8> content) {
    std::vector<u8> packed;
    if (encoding == Encoding::kZstd)
        packed = compress(content);
    const std::span<const u8> stored = encoding == Encoding::kZstd ? packed : content;
    SectionHeader header{.type = type,
                         .encoding = encoding,
                         .stored_size = stored.size(),
                         .content_size = content.size(),
                         .digest = {}};
    header.digest = digest_of_section(header, stored);
    append(file, {reinterpret_cast<const u8*>(&header), sizeof header});
    append(file, stored);
}

u32 version_of(const History& history) {
    if (!history.visits.empty())
        return kVersion;
    return history.tape.holds.empty() ? 1 : 2;
}

template <class Value>
std::vector<u8> serialised(Value value) {
    SavingVisitor saving;
    value.fields(saving);
    return saving.take();
}

// Takes sections from the front of the file.
class SectionReader {
  public:
    SectionReader(std::span<const u8> rest, const std::string& name) : rest_(rest), name_(name) {}

    Result<std::vector<u8>> take(SectionType type) {
        SectionHeader header{};
        if (rest_.size() < sizeof header)
            return damaged(name_, "it ends too early");
        std::memcpy(&header, rest_.data(), sizeof header);
        rest_ = rest_.subspan(sizeof header);
        if (header.stored_size > rest_.size())
            return damaged(name_, "it ends too early");
        const std::span<const u8> stored = rest_.first(header.stored_size);
        rest_ = rest_.subspan(header.stored_size);
        if (header.digest != digest_of_section(header, stored))
            return damaged(name_, "a checksum does not match");
        if (header.type != type || header.content_size > kLargestSection)
            return damaged(name_, "its sections are not those of a history");
        return unpack(header, stored);
    }

    bool at_end() const { return rest_.empty(); }

  private:
    Result<std::vector<u8>> unpack(const SectionHeader& header, std::span<const u8> stored) {
        if (header.encoding == Encoding::kPlain && header.stored_size == header.content_size)
            return std::vector<u8>(stored.begin(), stored.end());
        if (header.encoding != Encoding::kZstd)
            return damaged(name_, "a section has an unknown encoding");
        std::optional<std::vector<u8>> content = decompress(stored, header.content_size);
        if (!content)
            return damaged(name_, "a section cannot be unpacked");
        return std::move(*content);
    }

    std::span<const u8> rest_;
    const std::string& name_;
};

Status check_header(std::span<const u8> file, const std::string& name) {
    FileHeader header{};
    if (is_bundle(file))
        return Error{name + " is a bundle; 'uchronia import " + name + "' makes a history of it"};
    if (file.size() < sizeof kMagic || std::memcmp(file.data(), kMagic, sizeof kMagic) != 0)
        return Error{name +
                     " is not a history of Uchronia: it does not begin with 'UCHRHIST'. "
                     "Histories are written by 'uchronia run --save FILE -- COMMAND'"};
    if (file.size() < sizeof header)
        return damaged(name, "it ends too early");
    std::memcpy(&header, file.data(), sizeof header);
    if (header.version > kVersion)
        return Error{"the history " + name + " has format version " +
                     std::to_string(header.version) + ", and this Uchronia reads versions up to " +
                     std::to_string(kVersion) + ". Use the newer Uchronia that wrote it"};
    if (header.version == 0 || header.section_count != kSectionCount)
        return damaged(name, "its header is not that of a history");
    return {};
}

template <class Value>
Status load_section(SectionReader& reader, SectionType type, Value& value,
                    const std::string& name) {
    const Result<std::vector<u8>> content = reader.take(type);
    if (!content)
        return content.error();
    LoadingVisitor loading(*content);
    value.fields(loading);
    if (Status status = loading.status(); !status)
        return damaged(name, status.error().message);
    return {};
}

}  // namespace

std::vector<u8> serialise_history(const History& history) {
    FileHeader header{.magic = {}, .version = version_of(history), .section_count = kSectionCount};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    std::vector<u8> file;
    append(file, {reinterpret_cast<const u8*>(&header), sizeof header});
    const std::string json = configuration_to_json(history);
    append_section(file, SectionType::kConfiguration, Encoding::kPlain,
                   {reinterpret_cast<const u8*>(json.data()), json.size()});
    append_section(file, SectionType::kInput, Encoding::kZstd, history.input);
    append_section(file, SectionType::kChain, Encoding::kPlain, serialised(history.chain));
    append_section(file, SectionType::kRecord, Encoding::kZstd, serialised(history.record));
    return file;
}

Result<History> parse_history(std::span<const u8> file, const std::string& name) {
    if (Status status = check_header(file, name); !status)
        return status.error();
    SectionReader reader(file.subspan(sizeof(FileHeader)), name);
    History history;
    const Result<std::vector<u8>> json = reader.take(SectionType::kConfiguration);
    if (!json)
        return json.error();
    const std::string_view text(reinterpret_cast<const char*>(json->data()), json->size());
    if (Status status = configuration_from_json(text, history); !status)
        return damaged(name, status.error().message);
    Result<std::vector<u8>> input = reader.take(SectionType::kInput);
    if (!input)
        return input.error();
    history.input = std::move(*input);
    if (Status status = load_section(reader, SectionType::kChain, history.chain, name); !status)
        return status.error();
    if (Status status = load_section(reader, SectionType::kRecord, history.record, name); !status)
        return status.error();
    if (!reader.at_end())
        return damaged(name, "it goes on after its end");
    if (file[offsetof(FileHeader, version)] != version_of(history))
        return damaged(name, "its version is not that of its contents");
    if (!history.chain.well_formed())
        return damaged(name, "its hash chain is not in order");
    return history;
}

Result<History> load_history(const std::string& path) {
    const Result<std::vector<u8>> file = host::read_file(path);
    if (!file)
        return file.error();
    return parse_history(*file, path);
}

Status save_history(const History& history, const std::string& path) {
    return host::write_file_atomically(path, serialise_history(history));
}

}  // namespace uchronia::history
