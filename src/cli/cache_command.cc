// uchronia cache: what the cache folder holds, and how much of the disk it may take.

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/cache.h"
#include "cli/cache_contents.h"
#include "cli/cache_store.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/message.h"
#include "cli/units.h"
#include "host/file_use.h"

namespace uchronia::cli {
namespace {

struct Options {
    std::string clear;
    std::string limit;
    bool json = false;
};

constexpr char kFooter[] = R"(
Shows what the cache folder holds: booted machines (base), translated code, checkpoints of histories,
images and the contents of files (store), imported base images, what 'explore' found, and the last
history. All of it can be deleted at any time; base images, translated code and checkpoints are made
again by the next command that needs them.

--limit removes the least recently used until everything fits: of these three, and of what was not
used for two days: contents that no image and no history in the cache needs, imported base images, and
images without a name. It never removes findings, the last history, images with a name or the kernel;
--clear does, but for the kernel. A replay that needs contents that are gone says so. What another
process uses stays.

Exit status: 0; 1 if it takes more than --limit even so; 125 for an error.

Examples:
  uchronia cache
  uchronia cache --limit 2G
  uchronia cache --clear base)";

void print_text(const std::string& folder, const std::vector<CacheEntry>& entries) {
    std::printf("%s: %s\n", folder.c_str(), format_size(size_of(entries)).c_str());
    for (const CacheEntry& entry : entries) {
        std::printf("  %-10s %10s  %s  %s%s%s\n", name_of(entry.kind),
                    format_size(entry.size).c_str(), format_date(entry.last_use).c_str(),
                    entry.path.c_str(), entry.description.empty() ? "" : "  ",
                    entry.description.c_str());
        if (entry.in_use)
            std::printf("  %-10s in use by another process\n", "");
    }
    if (const Result<u64> space = host::free_space(folder))
        std::printf("free on this disk: %s\n", format_size(*space).c_str());
}

nlohmann::ordered_json json_of(const std::vector<CacheEntry>& entries) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const CacheEntry& entry : entries)
        list.push_back({{"kind", name_of(entry.kind)},
                        {"path", entry.path},
                        {"size", entry.size},
                        {"last_use", entry.last_use},
                        {"in_use", entry.in_use},
                        {"description", entry.description}});
    return list;
}

void print_json(const std::string& folder, const std::vector<CacheEntry>& entries,
                const std::vector<CacheEntry>& removed) {
    nlohmann::ordered_json json = {{"folder", folder},
                                   {"size", size_of(entries)},
                                   {"entries", json_of(entries)},
                                   {"removed", json_of(removed)}};
    if (const Result<u64> space = host::free_space(folder))
        json["free"] = *space;
    std::puts(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

// Removes the chosen ones and says so.
Status remove_and_say(const std::string& folder, const std::vector<CacheEntry>& chosen,
                      std::vector<CacheEntry>& removed) {
    Result<std::vector<CacheEntry>> gone = remove_entries(folder, chosen);
    if (!gone)
        return gone.error();
    if (!gone->empty())
        say("removed " + std::to_string(gone->size()) +
            (gone->size() == 1 ? " file, " : " files, ") + format_size(size_of(*gone)));
    removed.insert(removed.end(), gone->begin(), gone->end());
    return {};
}

// All contents that nothing needs, whenever they were used.
Status clear_store(const std::string& folder, std::vector<CacheEntry>& removed) {
    Result<std::vector<CacheEntry>> contents = contents_not_needed(folder);
    return contents ? remove_and_say(folder, *contents, removed) : Status(contents.error());
}

// Images without a name go one by one, as what they need then goes with them.
Status keep_to(u64 limit, const std::string& folder, std::vector<CacheEntry>& removed) {
    for (;;) {
        const Result<std::vector<CacheEntry>> entries = list_cache(folder);
        if (!entries || size_of(*entries) <= limit)
            return entries ? Status() : Status(entries.error());
        const Result<std::vector<CacheEntry>> contents = contents_not_needed(folder);
        if (!contents)
            return contents.error();
        const std::vector<CacheEntry> chosen = beyond_limit(*entries, *contents, limit);
        const std::size_t before = removed.size();
        Status status = remove_and_say(folder, chosen, removed);
        if (status && size_of(chosen) + limit < size_of(*entries))
            status = remove_and_say(folder, oldest_nameless_image(*entries), removed);
        if (!status || removed.size() == before)
            return status;
    }
}

int cache(const Options& options) {
    u64 limit = ~u64{0};
    if (!options.limit.empty()) {
        const Result<u64> size = parse_size(options.limit);
        if (!size)
            return fail(Error{"--limit: " + size.error().message}, kHostError);
        limit = *size;
    }
    const Result<std::string> folder = cache_folder();
    if (!folder)
        return fail(folder.error(), kHostError);
    Result<std::vector<CacheEntry>> entries = list_cache(*folder);
    if (!entries)
        return fail(entries.error(), kHostError);

    std::vector<CacheEntry> removed;
    if (!options.clear.empty()) {
        Status status = remove_and_say(*folder, named(*entries, options.clear), removed);
        if (status && (options.clear == "store" || options.clear == "all"))
            status = clear_store(*folder, removed);
        if (!status)
            return fail(status.error(), kHostError);
        entries = list_cache(*folder);
        if (!entries)
            return fail(entries.error(), kHostError);
    }
    if (size_of(*entries) > limit) {
        if (Status status = keep_to(limit, *folder, removed); !status)
            return fail(status.error(), kHostError);
        entries = list_cache(*folder);
        if (!entries)
            return fail(entries.error(), kHostError);
    }
    if (options.json)
        print_json(*folder, *entries, removed);
    else
        print_text(*folder, *entries);
    if (size_of(*entries) <= limit)
        return kSuccess;
    say("what is left takes more than " + options.limit +
        ": findings, the last history, the kernel, images with a name and their contents, and what "
        "was used lately or is in use stay. 'uchronia cache --clear WHAT' removes what it names");
    return kFindings;
}

}  // namespace

Command add_cache_command(CLI::App& parent) {
    CLI::App* app =
        parent.add_subcommand("cache", "Shows what the cache holds, and bounds its size");
    auto options = std::make_shared<Options>();
    app->add_option(
           "--clear", options->clear,
           "Removes base, code, checkpoints, images, store, imported, findings, or all of these")
        ->check(CLI::IsMember(
            {"base", "code", "checkpoints", "images", "store", "imported", "findings", "all"}))
        ->type_name("WHAT");
    app->add_option("--limit", options->limit,
                    "Removes the least recently used until the cache fits: 500M, 2G")
        ->type_name("SIZE");
    app->add_flag("--json", options->json, "The same as JSON, with sizes in bytes");
    app->footer(kFooter);
    return {.app = app,
            .run = [options](const auto&) { return cache(*options); },
            .takes_command = false};
}

}  // namespace uchronia::cli
