#include "cli/named_history.h"

#include "cli/cache.h"
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

}  // namespace uchronia::cli
