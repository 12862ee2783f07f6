// The values of the most recently used keys: a cache of a fixed, small number of entries.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace uchronia::host {

template <class Value>
class RecentCache {
  public:
    explicit RecentCache(std::size_t capacity) : capacity_(capacity) {}

    // The value of `key`, or null. Valid until the next insert or find.
    Value* find(const std::string& key) {
        const auto found = std::find_if(entries_.begin(), entries_.end(),
                                        [&](const Entry& entry) { return entry.first == key; });
        if (found == entries_.end())
            return nullptr;
        std::rotate(entries_.begin(), found, found + 1);
        return &entries_.front().second;
    }

    // Adds a key that is not in the cache; the least recently used entry may go.
    Value& insert(const std::string& key, Value value) {
        if (entries_.size() == capacity_)
            entries_.pop_back();
        entries_.insert(entries_.begin(), Entry(key, std::move(value)));
        return entries_.front().second;
    }

    std::size_t size() const { return entries_.size(); }

  private:
    using Entry = std::pair<std::string, Value>;

    std::size_t capacity_;
    std::vector<Entry> entries_;
};

}  // namespace uchronia::host
