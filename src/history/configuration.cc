#include "history/configuration.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/utf8.h"

namespace uchronia::history {
namespace {

struct ModelName {
    cpu::CPUModel model;
    const char* name;
};
constexpr ModelName kModelNames[] = {{cpu::CPUModel::kV2, "v2"}, {cpu::CPUModel::kV3, "v3"}};

// Keeps the keys in the order in which they are written here.
using JSON = nlohmann::ordered_json;

constexpr std::array<const char*, machine::kDecisionKinds> kKindNames{"entropy", "quantum", "stall",
                                                                      "turn"};
constexpr std::array<const char*, 3> kVisitNames{"command", "list-files", "bring-files"};
constexpr std::array<const char*, 3> kInputNames{"typed", "window", "hang-up"};
constexpr std::array<const char*, kOutcomeKinds> kOutcomeNames{
    "exited",    "signaled",     "kernel-panic",  "timeout", "agent-panic",
    "power-off", "triple-fault", "unimplemented", "idle",    "stopped"};

// --- Strings: those of Linux are bytes, those of JSON are UTF-8. Others become {"hex": "..."}. ---

bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = utf8_length(text, i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

JSON from_string(const std::string& text) {
    if (is_utf8(text))
        return text;
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (const char c : text) {
        hex += kDigits[static_cast<u8>(c) >> 4];
        hex += kDigits[static_cast<u8>(c) & 15];
    }
    return {{"hex", hex}};
}

JSON from_strings(const std::vector<std::string>& list) {
    JSON result = JSON::array();
    for (const std::string& text : list)
        result.push_back(from_string(text));
    return result;
}

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f')
        return static_cast<unsigned>(c - 'a' + 10);
    return std::nullopt;
}

std::optional<std::string> from_hex(const std::string& hex) {
    if (hex.size() % 2 != 0)
        return std::nullopt;
    std::string result;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const auto high = hex_digit(hex[i]);
        const auto low = hex_digit(hex[i + 1]);
        if (!high || !low)
            return std::nullopt;
        result += static_cast<char>(*high << 4 | *low);
    }
    return result;
}

// --- Writing ---

template <class T>
JSON from_limit(T limit) {
    return limit.value == ~u64{0} ? JSON() : JSON(limit.value);
}

JSON from_tape(const Tape& tape) {
    JSON seeds = JSON::array();
    for (const SeedChange& change : tape.seeds)
        seeds.push_back({{"from", change.from.value}, {"seed", change.seed}});
    JSON overrides = JSON::array();
    for (const Override& change : tape.overrides)
        overrides.push_back({{"kind", kKindNames[static_cast<std::size_t>(change.kind)]},
                             {"counter", change.counter},
                             {"value", change.value}});
    JSON json = {{"seeds", seeds}, {"overrides", overrides}};
    for (const Hold& hold : tape.holds)
        json["holds"].push_back(
            {{"tick", hold.tick.value}, {"cpu", hold.vcpu}, {"duration", hold.length.value}});
    return json;
}

JSON from_request(const machine::RunRequest& request) {
    JSON json = {{"arguments", from_strings(request.arguments)},
                 {"environment", from_strings(request.environment)},
                 {"working_directory", from_string(request.working_directory)},
                 {"shares", from_strings(request.shares)},
                 {"modules_folder", from_string(request.modules_folder)},
                 {"uid", request.uid},
                 {"gid", request.gid},
                 {"groups", request.groups},
                 {"has_input", request.input == machine::StandardInput::kFromHost}};
    if (!request.out_folder.empty())
        json["out_folder"] = from_string(request.out_folder);
    return json;
}

template <class T>
std::string text_of(const std::vector<T>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

JSON from_terminal_input(const TerminalInput& input) {
    JSON json = {{"tick", input.at.tick.value},
                 {"time", input.at.time.value},
                 {"kind", kInputNames[static_cast<std::size_t>(input.kind)]}};
    if (input.kind == TerminalInput::Kind::kTyped)
        json["typed"] = from_string(input.typed);
    if (input.kind == TerminalInput::Kind::kWindow) {
        json["rows"] = input.rows;
        json["columns"] = input.columns;
    }
    return json;
}

JSON from_visit(const Visit& visit) {
    JSON terminal = JSON::array();
    for (const TerminalInput& input : visit.terminal)
        terminal.push_back(from_terminal_input(input));
    return {{"tick", visit.at.tick.value},
            {"time", visit.at.time.value},
            {"kind", kVisitNames[static_cast<std::size_t>(visit.kind)]},
            {"request", from_request(visit.request)},
            {"has_terminal", visit.request.streams == machine::Streams::kTerminal},
            {"terminal", terminal},
            {"input", from_string(text_of(visit.input))}};
}

JSON from_result(const std::optional<RunResult>& result) {
    if (!result)
        return nullptr;
    return {{"outcome", kOutcomeNames[static_cast<std::size_t>(result->outcome.kind)]},
            {"code", result->outcome.code},
            {"detail", from_string(result->outcome.detail)},
            {"ticks", result->ticks.value},
            {"time", result->time.value},
            {"state", to_hex(result->state)}};
}

// --- Reading: every getter leaves a default behind and notes the first failure. ---

class Reader {
  public:
    Status status() const { return failure_.empty() ? Status() : Status(Error{failure_}); }
    void fail(const std::string& key, const char* why) {
        if (failure_.empty())
            failure_ = "its key '" + key + "' " + why;
    }

    const JSON& member(const JSON& object, const char* key) {
        static const JSON kNull;
        if (!object.is_object() || !object.contains(key)) {
            fail(key, "is missing");
            return kNull;
        }
        return object.find(key).value();
    }

    template <class T>
    void number(const JSON& object, const char* key, T& value) {
        const JSON& found = member(object, key);
        const u64 read = found.is_number_unsigned() ? found.get<u64>() : 0;
        if (!found.is_number_unsigned() || read > static_cast<u64>(T(~T{0})))
            fail(key, "is not a number in range");
        else
            value = static_cast<T>(read);
    }

    template <class Tag>
    void limit(const JSON& object, const char* key, Strong<Tag>& value) {
        if (member(object, key).is_null())
            value.value = ~u64{0};
        else
            number(object, key, value.value);
    }

    std::string as_string(const JSON& found, const char* key) {
        if (found.is_string())
            return found.get<std::string>();
        if (found.is_object() && found.contains("hex") && found["hex"].is_string()) {
            if (auto bytes = from_hex(found["hex"].get<std::string>()))
                return *bytes;
        }
        fail(key, "is not a string");
        return "";
    }

    void string(const JSON& object, const char* key, std::string& value) {
        value = as_string(member(object, key), key);
    }

    const JSON& array(const JSON& object, const char* key) {
        static const JSON kEmpty = JSON::array();
        const JSON& found = member(object, key);
        if (found.is_array())
            return found;
        fail(key, "is not a list");
        return kEmpty;
    }

    void strings(const JSON& object, const char* key, std::vector<std::string>& value) {
        value.clear();
        for (const JSON& element : array(object, key))
            value.push_back(as_string(element, key));
    }

    bool flag(const JSON& object, const char* key) {
        const JSON& found = member(object, key);
        if (!found.is_boolean())
            fail(key, "is neither true nor false");
        return found.is_boolean() && found.get<bool>();
    }

    void digest(const JSON& object, const char* key, Digest& value) {
        const Result<Digest> read = digest_from_hex(as_string(member(object, key), key));
        if (read)
            value = *read;
        else
            fail(key, "is not a digest");
    }

    // The index of a name in a list of names.
    template <class Enum, std::size_t N>
    void name(const JSON& object, const char* key, const std::array<const char*, N>& names,
              Enum& value) {
        const std::string text = as_string(member(object, key), key);
        for (std::size_t i = 0; i < N; ++i) {
            if (text == names[i]) {
                value = static_cast<Enum>(i);
                return;
            }
        }
        fail(key, "has an unknown name");
    }

  private:
    std::string failure_;
};

// Histories were of v2 before there was the key.
cpu::CPUModel read_model(Reader& reader, const JSON& base) {
    if (!base.is_object() || !base.contains("cpu_model"))
        return cpu::CPUModel::kV2;
    std::string name;
    reader.string(base, "cpu_model", name);
    const std::optional<cpu::CPUModel> model = cpu_model_of(name);
    if (!model)
        reader.fail("cpu_model", "has an unknown name");
    return model.value_or(cpu::CPUModel::kV2);
}

void read_base(Reader& reader, const JSON& json, BaseReference& base) {
    reader.digest(json, "image", base.image);
    reader.digest(json, "state", base.state);
    reader.string(json, "kernel_path", base.kernel_path);
    reader.string(json, "kernel_name", base.kernel_name);
    reader.number(json, "memory_size", base.memory_size);
    reader.number(json, "vcpu_count", base.vcpu_count);
    if (base.vcpu_count == 0 || base.vcpu_count > machine::kMostVCPUs)
        reader.fail("vcpu_count", "is not from 1 to 8");
    base.cpu_model = read_model(reader, json);
    if (json.is_object() && json.contains("disk")) {
        reader.string(json, "disk_path", base.disk_path);
        reader.digest(json, "disk", base.disk);
    }
}

void read_request(Reader& reader, const JSON& json, machine::RunRequest& request) {
    reader.strings(json, "arguments", request.arguments);
    reader.strings(json, "environment", request.environment);
    reader.string(json, "working_directory", request.working_directory);
    reader.strings(json, "shares", request.shares);
    if (json.is_object() && json.contains("modules_folder"))
        reader.string(json, "modules_folder", request.modules_folder);
    reader.number(json, "uid", request.uid);
    reader.number(json, "gid", request.gid);
    request.groups.clear();
    for (const JSON& group : reader.array(json, "groups")) {
        if (!group.is_number_unsigned() || group.get<u64>() > ~u32{0})
            reader.fail("groups", "is not a list of group numbers");
        else
            request.groups.push_back(group.get<u32>());
    }
    request.input = reader.flag(json, "has_input") ? machine::StandardInput::kFromHost
                                                   : machine::StandardInput::kNone;
    request.out_folder.clear();
    if (json.is_object() && json.contains("out_folder"))
        reader.string(json, "out_folder", request.out_folder);
}

void read_files(Reader& reader, const JSON& json, History& history) {
    FileView& files = history.files;
    reader.strings(json, "working_folders", files.working_folders);
    reader.strings(json, "system_folders", files.system_folders);
    reader.strings(json, "hidden", files.hidden);
    files.image = {};
    files.image_name.clear();
    if (json.is_object() && json.contains("image")) {
        reader.digest(json, "image", files.image);
        reader.string(json, "image_name", files.image_name);
        if (!files.has_image())
            reader.fail("image", "is no image's digest");
    }
    history.request.root =
        files.has_image() ? machine::SharedRoot::kImage : machine::SharedRoot::kHostFolders;
}

void read_tape(Reader& reader, const JSON& json, Tape& tape) {
    tape = {};
    for (const JSON& element : reader.array(json, "seeds")) {
        SeedChange change;
        reader.number(element, "from", change.from.value);
        reader.number(element, "seed", change.seed);
        tape.seeds.push_back(change);
    }
    for (const JSON& element : reader.array(json, "overrides")) {
        Override change;
        reader.name(element, "kind", kKindNames, change.kind);
        reader.number(element, "counter", change.counter);
        reader.number(element, "value", change.value);
        tape.overrides.push_back(change);
    }
    // Only there if there are any.
    if (!json.is_object() || !json.contains("holds"))
        return;
    for (const JSON& element : reader.array(json, "holds")) {
        Hold hold;
        reader.number(element, "tick", hold.tick.value);
        reader.number(element, "cpu", hold.vcpu);
        reader.number(element, "duration", hold.length.value);
        tape.holds.push_back(hold);
    }
}

TerminalInput read_terminal_input(Reader& reader, const JSON& json) {
    TerminalInput input;
    reader.number(json, "tick", input.at.tick.value);
    reader.number(json, "time", input.at.time.value);
    reader.name(json, "kind", kInputNames, input.kind);
    if (input.kind == TerminalInput::Kind::kTyped)
        reader.string(json, "typed", input.typed);
    if (input.kind == TerminalInput::Kind::kWindow) {
        reader.number(json, "rows", input.rows);
        reader.number(json, "columns", input.columns);
    }
    return input;
}

// Only there if there are any.
void read_visits(Reader& reader, const JSON& json, History& history) {
    history.visits.clear();
    if (!json.is_object() || !json.contains("visits"))
        return;
    for (const JSON& element : reader.array(json, "visits")) {
        Visit visit;
        reader.number(element, "tick", visit.at.tick.value);
        reader.number(element, "time", visit.at.time.value);
        reader.name(element, "kind", kVisitNames, visit.kind);
        read_request(reader, reader.member(element, "request"), visit.request);
        visit.request.root = history.request.root;
        if (reader.flag(element, "has_terminal"))
            visit.request.streams = machine::Streams::kTerminal;
        for (const JSON& input : reader.array(element, "terminal"))
            visit.terminal.push_back(read_terminal_input(reader, input));
        std::string text;
        reader.string(element, "input", text);
        visit.input.assign(text.begin(), text.end());
        history.visits.push_back(std::move(visit));
    }
}

void read_result(Reader& reader, const JSON& json, std::optional<RunResult>& result) {
    result.reset();
    if (json.is_null())
        return;
    RunResult read;
    reader.name(json, "outcome", kOutcomeNames, read.outcome.kind);
    reader.number(json, "code", read.outcome.code);
    reader.string(json, "detail", read.outcome.detail);
    reader.number(json, "ticks", read.ticks.value);
    reader.number(json, "time", read.time.value);
    reader.digest(json, "state", read.state);
    result = read;
}

}  // namespace

std::string name_of(cpu::CPUModel model) {
    for (const ModelName& row : kModelNames)
        if (row.model == model)
            return row.name;
    return {};
}

std::optional<cpu::CPUModel> cpu_model_of(std::string_view name) {
    for (const ModelName& row : kModelNames)
        if (row.name == name)
            return row.model;
    return std::nullopt;
}

Result<Digest> digest_from_hex(std::string_view text) {
    if (text.size() != 32)
        return Error{"a digest has 32 hexadecimal digits"};
    Digest digest;
    for (const char c : text) {
        const auto digit = hex_digit(c);
        if (!digit)
            return Error{"a digest has only hexadecimal digits"};
        digest.high = digest.high << 4 | digest.low >> 60;
        digest.low = digest.low << 4 | *digit;
    }
    return digest;
}

std::string configuration_to_json(const History& history) {
    const BaseReference& base = history.base;
    JSON json = {
        {"base",
         {{"image", to_hex(base.image)},
          {"state", to_hex(base.state)},
          {"kernel_path", from_string(base.kernel_path)},
          {"kernel_name", from_string(base.kernel_name)},
          {"memory_size", base.memory_size},
          {"vcpu_count", base.vcpu_count},
          {"cpu_model", name_of(base.cpu_model)}}},
        {"request", from_request(history.request)},
        {"files",
         {{"working_folders", from_strings(history.files.working_folders)},
          {"system_folders", from_strings(history.files.system_folders)},
          {"hidden", from_strings(history.files.hidden)}}},
        {"limits",
         {{"timeout", from_limit(history.limits.timeout)},
          {"stop_tick", from_limit(history.limits.stop_tick)},
          {"stop_time", from_limit(history.limits.stop_time)}}},
        {"tape", from_tape(history.tape)},
        {"result", from_result(history.result)},
    };
    if (!base.disk_path.empty()) {
        json["base"]["disk_path"] = from_string(base.disk_path);
        json["base"]["disk"] = to_hex(base.disk);
    }
    if (history.files.has_image()) {
        json["files"]["image"] = to_hex(history.files.image);
        json["files"]["image_name"] = from_string(history.files.image_name);
    }
    for (const Visit& visit : history.visits)
        json["visits"].push_back(from_visit(visit));
    return json.dump(2) + "\n";
}

Status configuration_from_json(std::string_view text, History& history) {
    const JSON json = JSON::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded())
        return Error{"its configuration is not JSON"};
    Reader reader;
    read_base(reader, reader.member(json, "base"), history.base);
    read_request(reader, reader.member(json, "request"), history.request);
    read_files(reader, reader.member(json, "files"), history);
    const JSON& limits = reader.member(json, "limits");
    reader.limit(limits, "timeout", history.limits.timeout);
    reader.limit(limits, "stop_tick", history.limits.stop_tick);
    reader.limit(limits, "stop_time", history.limits.stop_time);
    read_tape(reader, reader.member(json, "tape"), history.tape);
    read_visits(reader, json, history);
    read_result(reader, reader.member(json, "result"), history.result);
    if (Status status = reader.status(); !status)
        return status;
    if (Status status = history.tape.check(); !status)
        return status;
    if (Status status = check_visits(history.visits); !status)
        return status;
    return history.tape.check_vcpus(history.base.vcpu_count);
}

}  // namespace uchronia::history
