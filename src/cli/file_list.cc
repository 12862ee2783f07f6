#include "cli/file_list.h"

#include <sys/stat.h>

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/message.h"

namespace uchronia::cli {
namespace {

using JSON = nlohmann::ordered_json;

struct TypeName {
    u32 type;
    char letter;
    const char* name;
};
constexpr TypeName kTypes[] = {
    {S_IFREG, '-', "file"},         {S_IFDIR, 'd', "folder"},
    {S_IFLNK, 'l', "link"},         {S_IFCHR, 'c', "character-device"},
    {S_IFBLK, 'b', "block-device"}, {S_IFIFO, 'p', "pipe"},
    {S_IFSOCK, 's', "socket"},
};

const TypeName& type_of(const ListedFile& file) {
    for (const TypeName& type : kTypes) {
        if ((file.mode & S_IFMT) == type.type)
            return type;
    }
    return kTypes[0];
}

std::string permissions_of(const ListedFile& file) {
    std::string text(1, type_of(file).letter);
    for (unsigned bit = 9; bit-- > 0;)
        text += (file.mode >> bit & 1) != 0 ? "xwr"[bit % 3] : '-';
    const auto special = [&](u32 flag, std::size_t at, char letter) {
        if ((file.mode & flag) != 0)
            text[at] = text[at] == 'x' ? letter : static_cast<char>(letter - 'a' + 'A');
    };
    special(S_ISUID, 3, 's');
    special(S_ISGID, 6, 's');
    special(S_ISVTX, 9, 't');
    return text;
}

// The guest's clock is in UTC, whatever the host's is.
std::string date_of(const ListedFile& file) {
    const std::time_t seconds = file.modified_seconds;
    std::tm date{};
    char text[64] = "?";
    if (::gmtime_r(&seconds, &date) != nullptr)
        std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &date);
    char whole[96];
    std::snprintf(whole, sizeof whole, "%s.%09lld", text,
                  static_cast<long long>(file.modified_nanoseconds));
    return whole;
}

// Up to the next NUL.
bool take_text(std::string_view& bytes, std::string& text) {
    const std::size_t end = bytes.find('\0');
    if (end == std::string_view::npos)
        return false;
    text = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    return true;
}

}  // namespace

Result<std::vector<ListedFile>> parse_file_list(std::string_view bytes) {
    const Error error{"the guest's list of files is not one"};
    std::vector<ListedFile> files;
    while (!bytes.empty()) {
        ListedFile file;
        std::string numbers;
        if (!take_text(bytes, numbers) || !take_text(bytes, file.name) ||
            !take_text(bytes, file.target))
            return error;
        unsigned long long links = 0, size = 0;
        long long seconds = 0, nanoseconds = 0;
        if (std::sscanf(numbers.c_str(), "%o %llu %u %u %llu %lld %lld %u %u", &file.mode, &links,
                        &file.uid, &file.gid, &size, &seconds, &nanoseconds, &file.major,
                        &file.minor) != 9)
            return error;
        file.links = links;
        file.size = size;
        file.modified_seconds = seconds;
        file.modified_nanoseconds = nanoseconds;
        files.push_back(std::move(file));
    }
    return files;
}

std::string file_list_text(const std::vector<ListedFile>& files) {
    std::string text;
    for (const ListedFile& file : files) {
        const bool is_device = type_of(file).type == S_IFCHR || type_of(file).type == S_IFBLK;
        const std::string size = is_device
                                     ? std::to_string(file.major) + "," + std::to_string(file.minor)
                                     : std::to_string(file.size);
        char head[128];
        std::snprintf(head, sizeof head, "%s %3llu %5u %5u %10s ", permissions_of(file).c_str(),
                      static_cast<unsigned long long>(file.links), file.uid, file.gid,
                      size.c_str());
        text += head + date_of(file) + " " + printable(file.name);
        if (!file.target.empty())
            text += " -> " + printable(file.target);
        text += '\n';
    }
    return text;
}

std::string file_list_json(const std::vector<ListedFile>& files) {
    JSON list = JSON::array();
    for (const ListedFile& file : files) {
        char mode[16];
        std::snprintf(mode, sizeof mode, "%04o", file.mode & 07777);
        JSON json = {{"name", file.name},
                     {"type", type_of(file).name},
                     {"mode", mode},
                     {"links", file.links},
                     {"uid", file.uid},
                     {"gid", file.gid},
                     {"size", file.size},
                     {"modified_seconds", file.modified_seconds},
                     {"modified_nanoseconds", file.modified_nanoseconds}};
        if (!file.target.empty())
            json["target"] = file.target;
        list.push_back(std::move(json));
    }
    return list.dump(2, ' ', false, JSON::error_handler_t::replace) + "\n";
}

}  // namespace uchronia::cli
