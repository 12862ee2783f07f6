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

// Little-endian fields are shown as the number they are; long ones as their first bytes.
std::string shown(const std::vector<u8>& bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    static constexpr std::size_t kLongest = 32;
    std::string hex;
    const std::size_t count = std::min(bytes.size(), kLongest);
    for (std::size_t i = 0; i < count; ++i) {
        const u8 byte = bytes.size() <= 8 ? bytes[count - 1 - i] : bytes[i];
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return bytes.size() > kLongest ? hex + "…" : hex;
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
