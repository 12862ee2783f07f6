#include "profile/symbol_table.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <tuple>

namespace uchronia::profile {
namespace {

// Of "write", "__write" and "__GI___libc_write", people know the first.
auto preference(const Symbol& symbol) {
    const std::size_t underscores =
        std::min(symbol.name.find_first_not_of('_'), symbol.name.size());
    return std::make_tuple(symbol.address, -int{symbol.rank}, symbol.size == 0, underscores,
                           symbol.name.size(), std::string_view(symbol.name));
}

}  // namespace

void SymbolTable::finish() {
    std::sort(symbols_.begin(), symbols_.end(),
              [](const Symbol& a, const Symbol& b) { return preference(a) < preference(b); });
    const auto end =
        std::unique(symbols_.begin(), symbols_.end(),
                    [](const Symbol& a, const Symbol& b) { return a.address == b.address; });
    symbols_.erase(end, symbols_.end());
}

const Symbol* SymbolTable::find(u64 address) const {
    const auto after =
        std::upper_bound(symbols_.begin(), symbols_.end(), address,
                         [](u64 wanted, const Symbol& symbol) { return wanted < symbol.address; });
    if (after == symbols_.begin())
        return nullptr;
    const Symbol& found = *(after - 1);
    if (found.size != 0 && address - found.address >= found.size)
        return nullptr;
    return &found;
}

std::string demangled(const std::string& name) {
    constexpr std::size_t kLongest = 4096;  // the demangler recurses
    if (!name.starts_with("_Z") || name.size() > kLongest)
        return name;
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> text(
        abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
    return status == 0 && text != nullptr ? std::string(text.get()) : name;
}

}  // namespace uchronia::profile
