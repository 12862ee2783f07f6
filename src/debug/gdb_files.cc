// What gdb reads of the guest's files: programs and libraries, for their symbols.

#include <algorithm>

#include "debug/gdb_server.h"

namespace uchronia::debug {

std::string GDBServer::file_operation(std::string_view rest) {
    if (take(rest, "setfs:"))
        return "F0";
    if (take(rest, "open:"))
        return open_file(rest);
    if (take(rest, "pread:"))
        return read_file(rest);
    if (take(rest, "close:"))
        return open_files_.erase(static_cast<int>(take_number(rest).value_or(0))) != 0 ? "F0"
                                                                                       : "F-1,9";
    if (take(rest, "fstat:")) {
        const auto found = open_files_.find(static_cast<int>(take_number(rest).value_or(0)));
        if (found == open_files_.end())
            return "F-1,9";
        // struct stat of the protocol: big-endian; device, inode, mode, links, user, group, device,
        // then 8 bytes of size, block size and blocks, then three times.
        const auto contents = debuggee_.file(found->second);
        const u64 bytes = contents ? contents->size() : 0;
        std::string stat(64, '\0');
        stat[10] = '\x81', stat[11] = '\x24';  // a regular file that can be read
        for (unsigned i = 0; i < 8; ++i)
            stat[28 + i] = static_cast<char>(bytes >> (56 - 8 * i));
        return "F40;" + escaped(stat);
    }
    return "";
}

std::string GDBServer::open_file(std::string_view rest) {
    const std::string path = from_hex(next_word(rest, ','));
    const u64 flags = take_number(rest).value_or(0);
    if ((flags & 3) != 0)
        return "F-1,1e";  // EROFS
    if (!debuggee_.file(path))
        return "F-1,2";  // ENOENT
    open_files_[next_file_] = path;
    return "F" + hex_number(static_cast<u64>(next_file_++));
}

std::string GDBServer::read_file(std::string_view rest) {
    const auto found = open_files_.find(static_cast<int>(take_number(rest).value_or(0)));
    take(rest, ",");
    const u64 size = std::min<u64>(take_number(rest).value_or(0), kMostInPacket);
    take(rest, ",");
    const u64 offset = take_number(rest).value_or(0);
    if (found == open_files_.end())
        return "F-1,9";
    const Result<std::vector<u8>> contents = debuggee_.file(found->second);
    if (!contents || offset >= contents->size())
        return "F0;";
    const std::string_view all(reinterpret_cast<const char*>(contents->data()), contents->size());
    const std::string_view part = all.substr(offset, size);
    return "F" + hex_number(part.size()) + ";" + escaped(part);
}

}  // namespace uchronia::debug
