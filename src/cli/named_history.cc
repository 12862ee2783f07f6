#include "cli/named_history.h"

#include "cli/cache.h"
#include "cli/message.h"
#include "history/history_file.h"
#include "host/files.h"

namespace uchronia::cli {

Result<history::History> load_named_history(const std::string& name) {
    const Result<std::string> path = history_path(name);
    if (!path)
        return path.error();
    return history::load_history(*path);
}

Result<Digest> digest_of_named_history(const std::string& name) {
    const Result<std::string> path = history_path(name);
    if (!path)
        return path.error();
    const Result<host::MappedFile> file = host::map_file(*path);
    if (!file)
        return file.error();
    return digest_of(file->bytes());
}

void say_if_changed(const std::optional<std::string>& file, const std::string& name) {
    if (file)
        say("the file " + *file + " has changed since " + name +
            " was recorded, so this is not what happened then");
}

}  // namespace uchronia::cli
