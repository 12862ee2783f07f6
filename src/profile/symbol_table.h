// Functions by address.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"

namespace uchronia::profile {

struct Symbol {
    u64 address = 0;
    u64 size = 0;  // bytes; 0: up to the next symbol
    std::string name;
    u8 rank = 0;  // of several symbols at one address, the one of the highest rank names it
};

class SymbolTable {
  public:
    void add(Symbol symbol) { symbols_.push_back(std::move(symbol)); }
    // Sorts; from then on find() works. One symbol remains for each address.
    void finish();

    // The symbol whose range has the address, or null.
    const Symbol* find(u64 address) const;
    const std::vector<Symbol>& symbols() const { return symbols_; }

  private:
    std::vector<Symbol> symbols_;
};

// A C++ name as a person writes it; any other name as it is.
std::string demangled(const std::string& name);

}  // namespace uchronia::profile
