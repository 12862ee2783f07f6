#include "cli/out_option.h"

#include <filesystem>

#include "cli/message.h"
#include "cli/paths.h"
#include "cli/units.h"

namespace uchronia::cli {
namespace {

std::string listed(u64 count, const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text + (count > names.size() ? ", ..." : "");
}

std::string counted(u64 count, const char* one, const char* many) {
    return format_count(count) + " " + (count == 1 ? one : many);
}

}  // namespace

Result<OutOption> parse_out(const std::string& text) {
    const std::size_t equals = text.find('=');
    OutOption option;
    if (equals != std::string::npos)
        option.guest_folder = text.substr(0, equals);
    option.host_folder = equals == std::string::npos ? text : text.substr(equals + 1);
    if (option.host_folder.empty() || equals == 0)
        return Error{"--out: '" + text + "' names no folder; write DIR or GUESTDIR=DIR"};
    return option;
}

std::string out_folder_of(const OutOption& option, const std::string& working_directory) {
    return tidy_path((std::filesystem::path(working_directory) / option.guest_folder).string());
}

Result<std::unique_ptr<OutWriter>> reopen_out(const std::string& folder,
                                              const history::History& history) {
    if (folder.empty())
        return std::unique_ptr<OutWriter>();
    if (history.request.out_folder.empty())
        return Error{
            "--out: this history was recorded without --out, so nothing comes out of it; "
            "record it again with 'uchronia run --out DIR'"};
    return OutWriter::create(folder);
}

bool say_what_came_out(const OutWriter& writer) {
    const OutSummary& summary = writer.summary();
    std::string text = counted(summary.files, "file", "files");
    if (summary.folders != 0)
        text += ", " + counted(summary.folders, "new folder", "new folders");
    if (summary.links != 0)
        text += ", " + counted(summary.links, "symbolic link", "symbolic links");
    say("out: " + text + ", " + format_count(summary.bytes) + " bytes, to " + writer.folder());
    if (summary.removed != 0)
        say("out: the command removed " + listed(summary.removed, summary.removed_names) +
            "; nothing is removed from " + writer.folder());
    if (summary.others != 0)
        say("out: what is neither file, folder nor symbolic link stays inside: " +
            listed(summary.others, summary.other_names));
    if (writer.error())
        say(writer.error()->message);
    else if (!summary.is_complete)
        say("out: the run did not come to the command's end, so not all is there");
    return summary.is_complete && !writer.error();
}

}  // namespace uchronia::cli
