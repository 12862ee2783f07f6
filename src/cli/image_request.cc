#include "cli/image_request.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace uchronia::cli {
namespace {

constexpr char kPath[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr char kHostName[] = "HOSTNAME=uchronia";  // as the agent names the guest

// "a:b::c" has four fields.
std::vector<std::string> fields_of(const std::string& line, char separator) {
    std::vector<std::string> fields;
    for (std::size_t begin = 0; begin <= line.size();) {
        const std::size_t end = std::min(line.find(separator, begin), line.size());
        fields.push_back(line.substr(begin, end - begin));
        begin = end + 1;
    }
    return fields;
}

std::optional<u32> number_of(const std::string& text) {
    u32 number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

// The first line of a user or group database (passwd(5), group(5)) whose name or number fits.
std::optional<std::vector<std::string>> find_line(const std::string& text, const std::string& key,
                                                  std::size_t field_count) {
    for (const std::string& line : fields_of(text, '\n')) {
        std::vector<std::string> fields = fields_of(line, ':');
        if (fields.size() >= field_count && (fields[0] == key || fields[2] == key) &&
            number_of(fields[2]))
            return fields;
    }
    return std::nullopt;
}

std::vector<u32> groups_with(const std::string& text, const std::string& user) {
    std::vector<u32> groups;
    for (const std::string& line : fields_of(text, '\n')) {
        const std::vector<std::string> fields = fields_of(line, ':');
        if (fields.size() < 4 || !number_of(fields[2]))
            continue;
        const std::vector<std::string> members = fields_of(fields[3], ',');
        if (std::find(members.begin(), members.end(), user) != members.end())
            groups.push_back(*number_of(fields[2]));
    }
    std::sort(groups.begin(), groups.end());
    groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    return groups;
}

void set_variable(std::vector<std::string>& environment, const std::string& variable) {
    const std::string begin = variable.substr(0, variable.find('=') + 1);
    if (begin.size() <= 1)
        return;
    std::erase_if(environment, [&](const std::string& other) { return other.starts_with(begin); });
    environment.push_back(variable);
}

// Gives the user's home folder.
Result<std::string> set_user(const std::string& user, const std::string& passwd,
                             const std::string& group, machine::RunRequest& request) {
    const std::size_t colon = user.find(':');
    const std::string name = user.empty() ? "0" : user.substr(0, colon);
    const auto line = find_line(passwd, name, 7);
    const std::optional<u32> number = line ? number_of((*line)[2]) : number_of(name);
    if (!number)
        return Error{"the image wants to run as the user '" + name.substr(0, 100) +
                     "', whom its /etc/passwd does not have"};
    request.uid = *number;
    request.gid = line ? number_of((*line)[3]).value_or(0) : 0;
    request.groups.clear();
    if (colon != std::string::npos) {
        const std::string group_name = user.substr(colon + 1);
        const auto group_line = find_line(group, group_name, 3);
        const std::optional<u32> gid =
            group_line ? number_of((*group_line)[2]) : number_of(group_name);
        if (!gid)
            return Error{"the image wants to run with the group '" + group_name.substr(0, 100) +
                         "', which its /etc/group does not have"};
        request.gid = *gid;
    } else if (line) {
        request.groups = groups_with(group, (*line)[0]);
    }
    return line && (*line)[5].starts_with("/") ? (*line)[5] : "/";
}

}  // namespace

Status request_of_image(const image::Configuration& configuration,
                        const std::vector<std::string>& command,
                        const std::optional<std::string>& entrypoint,
                        const std::function<std::optional<std::string>(const std::string&)>& read,
                        machine::RunRequest& request) {
    request.arguments =
        entrypoint ? std::vector<std::string>{*entrypoint} : configuration.entrypoint;
    if (entrypoint && entrypoint->empty())
        request.arguments.clear();
    // Who replaces the entry point does not mean its default arguments.
    const std::vector<std::string> none;
    const std::vector<std::string>& rest = !command.empty() ? command
                                           : entrypoint     ? none
                                                            : configuration.command;
    request.arguments.insert(request.arguments.end(), rest.begin(), rest.end());
    if (request.arguments.empty())
        return Error{
            "the image has no command of its own; name one after '--', like: -- /bin/sh -c 'ls /'"};

    const Result<std::string> home = set_user(configuration.user, read("/etc/passwd").value_or(""),
                                              read("/etc/group").value_or(""), request);
    if (!home)
        return home.error();
    request.environment = {kPath, kHostName, "HOME=" + *home};
    for (const std::string& variable : configuration.environment)
        set_variable(request.environment, variable);
    const std::filesystem::path folder =
        std::filesystem::path("/") / configuration.working_directory;
    request.working_directory = folder.lexically_normal().string();
    while (request.working_directory.size() > 1 && request.working_directory.back() == '/')
        request.working_directory.pop_back();
    request.root = machine::SharedRoot::kImage;
    return {};
}

}  // namespace uchronia::cli
