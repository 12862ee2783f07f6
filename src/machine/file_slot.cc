#include "machine/file_slot.h"

#include <cerrno>

namespace uchronia::machine {

host::FileResult<host::FileAttributes> Machine::FileSlot::attributes(const std::string& path) {
    if (source_ == nullptr)
        return host::FileError{ENOENT};
    return source_->attributes(path);
}

host::FileResult<std::shared_ptr<const host::DirectoryListing>> Machine::FileSlot::list(
    const std::string& path) {
    if (source_ == nullptr)
        return host::FileError{ENOENT};
    return source_->list(path);
}

host::FileResult<u64> Machine::FileSlot::read(const std::string& path, u64 offset,
                                              std::span<u8> bytes) {
    if (source_ == nullptr)
        return host::FileError{ENOENT};
    return source_->read(path, offset, bytes);
}

host::FileResult<std::string> Machine::FileSlot::read_link(const std::string& path) {
    if (source_ == nullptr)
        return host::FileError{ENOENT};
    return source_->read_link(path);
}

}  // namespace uchronia::machine
