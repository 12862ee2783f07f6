// uchronia show: what is in a history or a bundle, so that one sees what sharing it discloses.

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/cache.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/holds.h"
#include "cli/message.h"
#include "cli/units.h"
#include "history/bundle.h"
#include "history/configuration.h"
#include "history/history_file.h"
#include "host/files.h"

namespace uchronia::cli {
namespace {

using JSON = nlohmann::ordered_json;

struct Options {
    std::string file;
    bool json = false;
};

constexpr char kFooter[] = R"(
FILE is a history, a bundle ('uchronia export'), or the word 'last' for the latest run. Nothing of it
is run or brought into the cache. Contents of files are 'inside' what is shown, 'by digest' (a history
of system files: they are in the cache of where it was recorded), or 'left out' of a bundle.

Exit status: 0; 125 if the file is damaged or cannot be read.

Examples:
  uchronia show last
  uchronia show found.bundle --json | jq .files)";

// What is shown. A bundle is a view of the mapped file.
struct Subject {
    std::string path;
    host::MappedFile file;
    std::optional<history::Bundle> bundle;
    history::History history;
};

Result<Subject> open_subject(const std::string& name) {
    const Result<std::string> path = history_path(name);
    if (!path)
        return path.error();
    Result<host::MappedFile> file = host::map_file(*path);
    if (!file)
        return file.error();
    Subject subject{.path = *path, .file = std::move(*file), .bundle = {}, .history = {}};
    if (history::is_bundle(subject.file.bytes())) {
        Result<history::Bundle> bundle = history::Bundle::open(subject.file.bytes(), *path);
        if (!bundle)
            return bundle.error();
        subject.bundle = std::move(*bundle);
    }
    Result<history::History> history = subject.bundle
                                           ? subject.bundle->history()
                                           : history::parse_history(subject.file.bytes(), *path);
    if (!history)
        return history.error();
    subject.history = std::move(*history);
    return subject;
}

std::vector<history::ReadFile> files_of(const Subject& subject) {
    return history::read_files(subject.history, [&](Digest digest) {
        return subject.bundle && subject.bundle->has_content(digest);
    });
}

const char* place_of(const history::ReadFile& file, const Subject& subject) {
    if (file.missing == 0)
        return "inside";
    return subject.bundle ? "left out" : "by digest";
}

// The bytes that a file brings into the bundle or history.
std::string base_image_text(const Subject& subject) {
    const std::string digest = to_hex(subject.history.base.image);
    if (!subject.bundle)
        return digest;
    const history::BundleEntry* entry = subject.bundle->base_image();
    return digest + (entry == nullptr
                         ? ", left out"
                         : ", inside: " + format_count(entry->stored_size) + " bytes, unpacked " +
                               format_count(entry->content_size));
}

// --- Text ---

// As one would write it in a shell.
std::string quoted(const std::string& text) {
    const bool is_plain = !text.empty() && text.find_first_not_of(
                                               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
                                               "XYZ0123456789_@%+=:,./-") == std::string::npos;
    if (is_plain)
        return text;
    std::string result = "'";
    for (const char c : text)
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

template <class List>
std::string joined(const List& list) {
    std::string result;
    for (const std::string& text : list)
        result += (result.empty() ? "" : " ") + quoted(text);
    return result;
}

void row(const char* name, const std::string& value) {
    std::printf("%-18s %s\n", name, printable(value).c_str());
}

std::string numbers(const std::vector<u32>& list) {
    std::string result;
    for (const u32 number : list)
        result += (result.empty() ? "" : ", ") + std::to_string(number);
    return result.empty() ? "none" : result;
}

void print_command(const history::History& history) {
    const machine::RunRequest& request = history.request;
    row("command", joined(request.arguments));
    row("working directory", request.working_directory);
    if (!request.shares.empty())
        row("shared folders", joined(request.shares));
    row("user", "uid " + std::to_string(request.uid) + ", gid " + std::to_string(request.gid) +
                    ", groups " + numbers(request.groups));
    for (const std::string& variable : request.environment)
        row(&variable == &request.environment.front() ? "environment" : "", variable);
    row("standard input", request.input == machine::StandardInput::kNone
                              ? "none"
                              : format_count(history.input.size()) + " bytes, inside");
}

void print_machine(const Subject& subject) {
    const history::History& history = subject.history;
    const history::BaseReference& base = history.base;
    std::string seed = std::to_string(history.tape.seed_at(Ticks(0)));
    if (history.tape.seeds.size() > 1)
        seed += ", " + std::to_string(history.tape.seeds.size() - 1) + " more later";
    if (!history.tape.overrides.empty())
        seed += ", " + std::to_string(history.tape.overrides.size()) + " overrides";
    row("seed", seed);
    for (const history::Hold& hold : history.tape.holds)
        row(&hold == &history.tape.holds.front() ? "holds" : "", format_hold(hold));
    for (const history::Visit& visit : history.visits)
        row(&visit == &history.visits.front() ? "visits" : "",
            "at tick " + format_count(visit.at.tick.value) + " (" +
                format_seconds(visit.at.time.value) + "): " + joined(visit.request.arguments));
    row("CPUs", std::to_string(base.vcpu_count) + ", x86-64-" + history::name_of(base.cpu_model));
    row("memory", format_count(base.memory_size >> 20) + " MiB");
    row("kernel", base.kernel_name);
    row("base image", base_image_text(subject));
    if (history.files.has_image())
        row("image", history.files.image_name + ", " + to_hex(history.files.image));
    if (!history.request.out_folder.empty())
        row("comes out", "what was written in " + history.request.out_folder);
    if (!base.disk_path.empty())
        row("disk", base.disk_path + ", not inside: its digest is " + to_hex(base.disk));
}

void print_result(const history::History& history) {
    if (!history.result) {
        row("outcome", "not run yet");
        return;
    }
    row("outcome", history::describe(history.result->outcome));
    row("ticks", format_count(history.result->ticks.value));
    row("virtual time", format_seconds(history.result->time.value));
    row("state hash", to_hex(history.result->state));
}

void print_files(const Subject& subject) {
    const history::FileRecord& record = subject.history.record;
    const std::vector<history::ReadFile> files = files_of(subject);
    row("names", format_count(record.attributes.size()) + " files looked up, " +
                     format_count(record.listings.size()) + " folders listed, " +
                     format_count(record.links.size()) + " symbolic links followed");
    row("files read", format_count(files.size()));
    if (files.empty())
        return;
    std::printf("\n%-10s %15s %15s  %s\n", "contents", "bytes read", "of", "file");
    for (const history::ReadFile& file : files)
        std::printf("%-10s %15s %15s  %s\n", place_of(file, subject),
                    format_count(file.read_size).c_str(), format_count(file.size).c_str(),
                    printable(file.path).c_str());
}

void print_text(const Subject& subject) {
    row(subject.bundle ? "bundle" : "history",
        subject.path + ", " + format_count(subject.file.bytes().size()) + " bytes");
    print_command(subject.history);
    print_machine(subject);
    print_result(subject.history);
    print_files(subject);
}

// --- JSON ---

JSON json_of_tape(const history::Tape& tape) {
    JSON seeds = JSON::array();
    for (const history::SeedChange& change : tape.seeds)
        seeds.push_back({{"from", change.from.value}, {"seed", change.seed}});
    JSON holds = JSON::array();
    for (const history::Hold& hold : tape.holds)
        holds.push_back({{"tick", hold.tick.value},
                         {"cpu", hold.vcpu},
                         {"virtual_nanoseconds", hold.length.value}});
    return {{"seeds", seeds}, {"overrides", tape.overrides.size()}, {"holds", holds}};
}

JSON json_of_visits(const std::vector<history::Visit>& visits) {
    JSON list = JSON::array();
    for (const history::Visit& visit : visits) {
        u64 typed = 0;
        for (const history::TerminalInput& input : visit.terminal)
            typed += input.typed.size();
        list.push_back({{"tick", visit.at.tick.value},
                        {"virtual_nanoseconds", visit.at.time.value},
                        {"command", visit.request.arguments},
                        {"terminal", visit.request.streams == machine::Streams::kTerminal},
                        {"typed_size", typed},
                        {"standard_input_size", visit.input.size()}});
    }
    return list;
}

JSON json_of_result(const std::optional<history::RunResult>& result) {
    if (!result)
        return nullptr;
    return {{"outcome", history::describe(result->outcome)},
            {"exit_status", exit_status_of(result->outcome)},
            {"ticks", result->ticks.value},
            {"virtual_nanoseconds", result->time.value},
            {"state_hash", to_hex(result->state)}};
}

template <class Map>
JSON json_of_names(const Map& map) {
    JSON names = JSON::array();
    for (const auto& [path, answer] : map)
        names.push_back(path);
    return names;
}

JSON json_of_base(const Subject& subject) {
    const history::BaseReference& base = subject.history.base;
    const history::BundleEntry* entry = subject.bundle ? subject.bundle->base_image() : nullptr;
    JSON json = {{"digest", to_hex(base.image)},
                 {"inside", entry != nullptr},
                 {"stored_size", entry == nullptr ? 0 : entry->stored_size},
                 {"size", entry == nullptr ? 0 : entry->content_size}};
    if (!base.disk_path.empty())
        json["disk"] = {{"path", base.disk_path}, {"digest", to_hex(base.disk)}};
    return json;
}

JSON json_of_image(const history::FileView& view) {
    if (!view.has_image())
        return nullptr;
    return {{"name", view.image_name}, {"digest", to_hex(view.image)}};
}

JSON json_of(const Subject& subject) {
    const history::History& history = subject.history;
    JSON files = JSON::array();
    for (const history::ReadFile& file : files_of(subject))
        files.push_back({{"path", file.path},
                         {"size", file.size},
                         {"read_size", file.read_size},
                         {"contents", place_of(file, subject)}});
    return {{"kind", subject.bundle ? "bundle" : "history"},
            {"file_size", subject.file.bytes().size()},
            {"command", history.request.arguments},
            {"working_directory", history.request.working_directory},
            {"shares", history.request.shares},
            {"environment", history.request.environment},
            {"uid", history.request.uid},
            {"gid", history.request.gid},
            {"groups", history.request.groups},
            {"standard_input_size", history.input.size()},
            {"tape", json_of_tape(history.tape)},
            {"visits", json_of_visits(history.visits)},
            {"cpus", history.base.vcpu_count},
            {"cpu_model", history::name_of(history.base.cpu_model)},
            {"memory_size", history.base.memory_size},
            {"kernel", history.base.kernel_name},
            {"base_image", json_of_base(subject)},
            {"image", json_of_image(history.files)},
            {"out_folder",
             history.request.out_folder.empty() ? JSON() : JSON(history.request.out_folder)},
            {"result", json_of_result(history.result)},
            {"files", files},
            {"looked_up", json_of_names(history.record.attributes)},
            {"listed", json_of_names(history.record.listings)},
            {"links", json_of_names(history.record.links)}};
}

int show(const Options& options) {
    const Result<Subject> subject = open_subject(options.file);
    if (!subject)
        return fail(subject.error(), kHostError);
    if (options.json)
        // Names may be any bytes, so what is not UTF-8 is replaced.
        std::puts(json_of(*subject).dump(2, ' ', false, JSON::error_handler_t::replace).c_str());
    else
        print_text(*subject);
    return std::fflush(stdout) == 0 ? kSuccess : kHostError;
}

}  // namespace

Command add_show_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand("show", "Tells what is in a history or a bundle");
    auto options = std::make_shared<Options>();
    app->add_option("FILE", options->file, "The history or bundle, or 'last'")->required();
    app->add_flag("--json", options->json, "As JSON, with all names that the guest looked up");
    app->footer(kFooter);
    return {.app = app,
            .run = [options](const auto&) { return show(*options); },
            .takes_command = false};
}

}  // namespace uchronia::cli
