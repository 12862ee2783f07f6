#include "base/state_io.h"

#include <algorithm>
#include <cstring>

namespace uchronia {
namespace {

std::string joined(const std::vector<std::string>& path, std::string_view name) {
    std::string result;
    for (const std::string& part : path)
        result += part + ".";
    return result + std::string(name);
}

constexpr std::size_t kLongestShown = 32;

// Little-endian fields are shown as the number they are; long ones as some bytes from `offset`.
std::string shown(const std::vector<u8>& bytes, u64 offset = 0) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    const std::size_t end = std::min<std::size_t>(bytes.size(), offset + kLongestShown);
    for (std::size_t i = offset; i < end; ++i) {
        const u8 byte = bytes.size() <= 8 ? bytes[end - 1 - i] : bytes[i];
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return end < bytes.size() ? hex + "…" : hex;
}

FieldDifference difference_of(const FieldValue& a, const FieldValue& b) {
    u64 offset = 0;
    if (std::min(a.bytes.size(), b.bytes.size()) > kLongestShown) {
        const auto first =
            std::mismatch(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end()).first;
        offset = static_cast<u64>(first - a.bytes.begin());
    }
    return {a.path, shown(a.bytes, offset), shown(b.bytes, offset), offset};
}

}  // namespace

void SavingVisitor::bytes(std::string_view, void* data, std::size_t size) {
    const u8* first = static_cast<const u8*>(data);
    saved_.insert(saved_.end(), first, first + size);
}

void SavingVisitor::count(std::string_view name, u64& count, u64) {
    bytes(name, &count, sizeof count);
}

void LoadingVisitor::enter(std::string_view name) {
    path_.emplace_back(name);
}

void LoadingVisitor::leave() {
    path_.pop_back();
}

void LoadingVisitor::fail(std::string_view name, const char* why) {
    if (failure_.empty())
        failure_ = joined(path_, name) + ": " + why;
    rest_ = {};
}

void LoadingVisitor::bytes(std::string_view name, void* data, std::size_t size) {
    if (size == 0)
        return;
    if (!failure_.empty() || rest_.size() < size) {
        fail(name, "the saved state ends too early");
        std::memset(data, 0, size);
        return;
    }
    std::memcpy(data, rest_.data(), size);
    rest_ = rest_.subspan(size);
}

void LoadingVisitor::count(std::string_view name, u64& count, u64 maximum) {
    bytes(name, &count, sizeof count);
    if (count > maximum || count > rest_.size()) {
        fail(name, "the saved element count is impossible");
        count = 0;
    }
}

Status LoadingVisitor::status() const {
    if (!failure_.empty())
        return Error{"saved state: " + failure_};
    if (!rest_.empty())
        return Error{"saved state: " + std::to_string(rest_.size()) + " bytes too many"};
    return {};
}

void ListingVisitor::enter(std::string_view name) {
    path_.emplace_back(name);
}

void ListingVisitor::leave() {
    path_.pop_back();
}

std::string ListingVisitor::path_to(std::string_view name) const {
    return joined(path_, name);
}

void ListingVisitor::bytes(std::string_view name, void* data, std::size_t size) {
    const u8* first = static_cast<const u8*>(data);
    values_.push_back({path_to(name), std::vector<u8>(first, first + size)});
}

void ListingVisitor::count(std::string_view name, u64& count, u64) {
    bytes(std::string(name) + ".count", &count, sizeof count);
}

std::vector<FieldDifference> differences_of(const std::vector<FieldValue>& a,
                                            const std::vector<FieldValue>& b) {
    std::vector<FieldDifference> differences;
    const std::size_t common = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < common; ++i) {
        if (a[i].path != b[i].path) {
            differences.push_back({"the list of fields", a[i].path, b[i].path});
            return differences;
        }
        if (a[i].bytes != b[i].bytes)
            differences.push_back(difference_of(a[i], b[i]));
    }
    if (a.size() != b.size())
        differences.push_back(
            {"the number of fields", std::to_string(a.size()), std::to_string(b.size())});
    return differences;
}

std::vector<std::string> differing_fields(const std::vector<FieldValue>& a,
                                          const std::vector<FieldValue>& b) {
    std::vector<std::string> differences;
    const std::size_t common = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < common; ++i) {
        if (a[i].path != b[i].path) {
            differences.push_back(a[i].path + " against " + b[i].path + ": other fields follow");
            return differences;
        }
        if (a[i].bytes != b[i].bytes)
            differences.push_back(a[i].path + ": " + shown(a[i].bytes) +
                                  " != " + shown(b[i].bytes));
    }
    if (a.size() != b.size())
        differences.push_back("field count: " + std::to_string(a.size()) +
                              " != " + std::to_string(b.size()));
    return differences;
}

}  // namespace uchronia
