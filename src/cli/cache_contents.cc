#include "cli/cache_contents.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <tuple>

#include "history/configuration.h"
#include "history/history_file.h"
#include "host/file_lock.h"
#include "host/file_use.h"
#include "host/files.h"
#include "image/image_list.h"
#include "machine/base_image.h"

namespace uchronia::cli {
namespace {

constexpr std::array<const char*, 11> kKindNames{"base",   "unfinished", "code",     "checkpoints",
                                                 "images", "store",      "imported", "findings",
                                                 "last",   "kernel",     "other"};

// Folders whose files are listed one by one.
constexpr std::array<const char*, 6> kFolders{"base",     "code",   "checkpoints",
                                              "findings", "images", "imported"};

// What came from elsewhere and was used since is not removed to keep to a limit (seconds).
constexpr i64 kRecent = 2 * 24 * 60 * 60;
constexpr char kNameless[] = "(no name)";

// What is being written without a lock is finished or given up after this many seconds.
constexpr i64 kLongestWriting = 3600;

// The lock file under which something of the cache is made; nothing: there is none.
// "base/DIGEST.img" and "base/DIGEST.img.new0" are made under "base/DIGEST.lock".
std::optional<std::string> lock_of(const std::string& path) {
    if (path.starts_with("code/"))
        return "code/lock";
    if (path.starts_with("checkpoints/"))
        return path + "/lock";
    if (path.starts_with("base/"))
        return path.substr(0, path.find('.')) + ".lock";
    // Results of 'explore' are their own lock.
    if (path.starts_with("findings/") && path.ends_with(".results"))
        return path;
    if (path.starts_with("imported/"))
        return path.substr(0, path.find(".img")) + ".img.lock";
    return std::nullopt;
}

std::string describe_base(const std::string& path) {
    const Result<machine::BaseImageSummary> image = machine::summary_of_base_image(path);
    if (!image)
        return "not usable by this version of Uchronia";
    const std::string kernel =
        image->kernel_version.empty() ? "unknown kernel" : image->kernel_version;
    return kernel + ", " + std::to_string(image->memory_size >> 20) + " MiB, " +
           std::to_string(image->vcpu_count) + (image->vcpu_count == 1 ? " CPU " : " CPUs ") +
           history::name_of(image->cpu_model) + (image->has_disk ? ", with a disk" : "");
}

std::string describe_history(const std::string& path) {
    if (path.ends_with(".results"))
        return "what 'explore --resume' goes on from";
    const Result<history::History> history = history::load_history(path);
    if (!history)
        return "not readable by this version of Uchronia";
    std::string text;
    for (const std::string& argument : history->request.arguments)
        text += (text.empty() ? "" : " ") + argument;
    if (history->result)
        text += ": " + history::describe(history->result->outcome);
    // The arguments may have bytes that are not for a terminal.
    std::replace_if(
        text.begin(), text.end(), [](char c) { return (c >= 0 && c < 32) || c == 127; }, '?');
    return text;
}

std::string describe_image(const std::string& path) {
    const std::optional<image::ListedImage> image = image::ImageList::read(path);
    if (!image)
        return "not readable by this version of Uchronia";
    std::string text = (image->name.empty() ? kNameless : image->name) + " of " + image->source;
    std::replace_if(
        text.begin(), text.end(), [](char c) { return (c >= 0 && c < 32) || c == 127; }, '?');
    return text;
}

// What who uses an entry has mapped of it.
std::string mapped_file_of(CacheKind kind, const std::string& path) {
    return kind == CacheKind::kCheckpoints ? path + "/pages" : path;
}

// Whether somebody holds the lock file now; one that cannot be asked counts as held.
bool is_locked(const std::string& path) {
    if (!host::exists(path))
        return false;
    const Result<host::FileLock> lock = host::FileLock::take(path, host::FileLock::Wait::kNo);
    return !lock || !lock->held();
}

class Listing {
  public:
    explicit Listing(std::string folder) : folder_(std::move(folder)) {}

    Status read() {
        const Result<std::vector<host::FolderEntry>> top = host::list_directory(folder_);
        if (!top)
            return top.error();
        for (const host::FolderEntry& entry : *top) {
            const bool is_ours =
                std::find(kFolders.begin(), kFolders.end(), entry.name) != kFolders.end();
            if (!is_ours || entry.kind != host::EntryKind::kDirectory)
                add(kind_at_top(entry.name), entry.name);
            else if (Status status = read_folder(entry.name); !status)
                return status;
        }
        return {};
    }

    std::vector<CacheEntry> take() {
        const auto order = [](const CacheEntry& entry) {
            return std::tuple(entry.kind, -entry.last_use, std::string_view(entry.path));
        };
        std::sort(entries_.begin(), entries_.end(),
                  [&](const CacheEntry& a, const CacheEntry& b) { return order(a) < order(b); });
        return std::move(entries_);
    }

  private:
    // What host::write_file_atomically has begun and not yet renamed.
    static bool is_unfinished(const std::string& name) {
        return name.find(".new") != std::string::npos;
    }

    static CacheKind kind_at_top(const std::string& name) {
        return name.starts_with("last.uch.new") ? CacheKind::kUnfinished
               : name == "last.uch"             ? CacheKind::kLast
               : name == "kernel"               ? CacheKind::kKernel
               : name == "store"                ? CacheKind::kStore
                                                : CacheKind::kOther;
    }

    static CacheKind kind_in(const std::string& folder, const std::string& name) {
        if (is_unfinished(name))
            return CacheKind::kUnfinished;
        if (folder == "base")
            return name.ends_with(".img") ? CacheKind::kBase : CacheKind::kOther;
        if (folder == "code")
            return name.ends_with(".code") ? CacheKind::kCode : CacheKind::kOther;
        if (folder == "checkpoints")
            return CacheKind::kCheckpoints;
        if (folder == "images")
            return name.ends_with(".json") ? CacheKind::kImages : CacheKind::kOther;
        if (folder == "imported")
            return name.ends_with(".img")         ? CacheKind::kImported
                   : name.ends_with(".unchecked") ? CacheKind::kUnfinished
                                                  : CacheKind::kOther;
        return CacheKind::kFindings;
    }

    Status read_folder(const std::string& name) {
        const Result<std::vector<host::FolderEntry>> entries =
            host::list_directory(folder_ + "/" + name);
        if (!entries)
            return entries.error();
        for (const host::FolderEntry& entry : *entries) {
            if (entry.name != "lock" && !entry.name.ends_with(".lock"))
                add(kind_in(name, entry.name), name + "/" + entry.name);
        }
        return {};
    }

    void add(CacheKind kind, const std::string& path) {
        const std::string full = folder_ + "/" + path;
        const host::FileUse use = host::use_of(full);
        CacheEntry entry{.kind = kind,
                         .path = path,
                         .size = use.size,
                         .last_use = use.last_use,
                         .in_use = mapped_.contains(mapped_file_of(kind, full)),
                         .description = {}};
        if (const std::optional<std::string> lock = lock_of(path))
            entry.in_use |= is_locked(folder_ + "/" + *lock);
        switch (kind) {
            case CacheKind::kBase:
            case CacheKind::kImported:
                entry.description = describe_base(full);
                break;
            case CacheKind::kImages:
                entry.description = describe_image(full);
                break;
            case CacheKind::kStore:
                entry.description = "contents of files that images and histories need";
                break;
            case CacheKind::kUnfinished:
                entry.description = "being written, or left by a process that was killed";
                entry.in_use |= now_ - use.last_use < kLongestWriting && !lock_of(path);
                break;
            case CacheKind::kCode:
                entry.description = "translations for one build and kind of host";
                break;
            case CacheKind::kCheckpoints:
                entry.description = "moments of one history, to go back to";
                break;
            case CacheKind::kFindings:
            case CacheKind::kLast:
                entry.description = describe_history(full);
                break;
            case CacheKind::kKernel:
                entry.description = "the guest's kernel, unpacked";
                break;
            case CacheKind::kOther:
                break;
        }
        entries_.push_back(std::move(entry));
    }

    const std::string folder_;
    const host::MappedByOthers mapped_;
    const i64 now_ = static_cast<i64>(std::time(nullptr));
    std::vector<CacheEntry> entries_;
};

bool is_made_again(CacheKind kind) {
    return kind == CacheKind::kBase || kind == CacheKind::kUnfinished || kind == CacheKind::kCode ||
           kind == CacheKind::kCheckpoints;
}

}  // namespace

const char* name_of(CacheKind kind) {
    return kKindNames[static_cast<std::size_t>(kind)];
}

Result<std::vector<CacheEntry>> list_cache(const std::string& folder) {
    if (!host::exists(folder))
        return std::vector<CacheEntry>();
    Listing listing(folder);
    if (Status status = listing.read(); !status)
        return status.error();
    return listing.take();
}

u64 size_of(std::span<const CacheEntry> entries) {
    u64 size = 0;
    for (const CacheEntry& entry : entries)
        size += entry.size;
    return size;
}

std::vector<CacheEntry> beyond_limit(std::span<const CacheEntry> entries,
                                     std::span<const CacheEntry> contents, u64 limit) {
    std::vector<CacheEntry> candidates;
    const auto may_go = [now = static_cast<i64>(std::time(nullptr))](const CacheEntry& entry) {
        const bool is_old_import =
            entry.kind == CacheKind::kImported && now - entry.last_use >= kRecent;
        return (is_made_again(entry.kind) || is_old_import) && !entry.in_use;
    };
    std::copy_if(entries.begin(), entries.end(), std::back_inserter(candidates), may_go);
    std::copy_if(contents.begin(), contents.end(), std::back_inserter(candidates),
                 [](const CacheEntry& entry) { return !entry.in_use; });
    std::stable_sort(
        candidates.begin(), candidates.end(),
        [](const CacheEntry& a, const CacheEntry& b) { return a.last_use < b.last_use; });
    std::vector<CacheEntry> chosen;
    u64 size = size_of(entries);
    for (CacheEntry& candidate : candidates) {
        if (size <= limit)
            break;
        size -= candidate.size;
        chosen.push_back(std::move(candidate));
    }
    return chosen;
}

std::vector<CacheEntry> oldest_nameless_image(std::span<const CacheEntry> entries) {
    const i64 now = static_cast<i64>(std::time(nullptr));
    const CacheEntry* oldest = nullptr;
    for (const CacheEntry& entry : entries) {
        const bool may_go = entry.kind == CacheKind::kImages &&
                            entry.description.starts_with(kNameless) &&
                            now - entry.last_use >= kRecent;
        if (may_go && (oldest == nullptr || entry.last_use < oldest->last_use))
            oldest = &entry;
    }
    return oldest == nullptr ? std::vector<CacheEntry>() : std::vector{*oldest};
}

std::vector<CacheEntry> named(std::span<const CacheEntry> entries, const std::string& what) {
    std::vector<CacheEntry> chosen;
    for (const CacheEntry& entry : entries) {
        const CacheKind kind = entry.kind;
        // Contents are removed one by one, when nothing needs them.
        const bool is_kept =
            kind == CacheKind::kKernel || kind == CacheKind::kOther || kind == CacheKind::kStore;
        const bool is_part = kind == CacheKind::kUnfinished && entry.path.starts_with(what + "/");
        if (!entry.in_use && !is_kept && (what == "all" || what == name_of(kind) || is_part))
            chosen.push_back(entry);
    }
    return chosen;
}

Result<std::vector<CacheEntry>> remove_entries(const std::string& folder,
                                               std::span<const CacheEntry> entries) {
    std::vector<CacheEntry> removed;
    for (const CacheEntry& entry : entries) {
        std::optional<host::FileLock> held;
        if (const std::optional<std::string> path = lock_of(entry.path)) {
            Result<host::FileLock> lock =
                host::FileLock::take(folder + "/" + *path, host::FileLock::Wait::kNo);
            if (!lock)
                return lock.error();
            if (!lock->held())
                continue;
            held = std::move(*lock);
        }
        // Who maps it after this has it nevertheless: only its name goes.
        const std::string path = folder + "/" + entry.path;
        if (entry.kind != CacheKind::kStore &&
            host::MappedByOthers().contains(mapped_file_of(entry.kind, path)))
            continue;
        const Status status = entry.kind == CacheKind::kCheckpoints ? host::remove_folder(path)
                                                                    : host::remove_file(path);
        if (!status)
            return status.error();
        removed.push_back(entry);
    }
    return removed;
}

}  // namespace uchronia::cli
