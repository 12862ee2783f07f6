#include "tests/guest/program.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

namespace uchronia::guest_tests {
namespace {

constexpr std::string_view kDirective = "//:";

struct StopName {
    std::string_view name;
    machine::Stop stop;
};
constexpr StopName kStopNames[] = {
    {"exit", machine::Stop::kExited},
    {"triple-fault", machine::Stop::kTripleFault},
    {"idle", machine::Stop::kIdle},
};

bool parse_number(const std::string& text, u64& value) {
    std::size_t used = 0;
    try {
        value = std::stoull(text, &used, 0);
    } catch (const std::exception&) {
        return false;
    }
    return used == text.size();
}

// One directive's words; false if it makes no sense.
bool follow(Program& program, const std::string& word, const std::string& value) {
    if (word == "stop") {
        for (const StopName& row : kStopNames) {
            if (row.name == value) {
                program.stop = row.stop;
                return true;
            }
        }
        return false;
    }
    u64 number = 0;
    if (!parse_number(value, number))
        return false;
    if (word == "ticks")
        program.limit = Ticks(number);
    else
        program.expectations.push_back({word, number});
    return true;
}

}  // namespace

u64 Program::header(std::size_t index) const {
    u64 word = 0;
    std::memcpy(&word, image.data() + 8 * index, sizeof word);
    return word;
}

Result<Program> load_program(const std::string& source, const std::string& image) {
    Program program;
    std::ifstream binary(image, std::ios::binary);
    program.image.assign(std::istreambuf_iterator<char>(binary), {});
    if (program.image.size() < 3 * sizeof(u64))
        return Error{image + ": cannot be read, or has no header"};
    std::ifstream text(source);
    unsigned number = 0;
    for (std::string line; std::getline(text, line);) {
        ++number;
        if (!line.starts_with(kDirective))
            continue;
        std::istringstream words(line.substr(kDirective.size()));
        std::string word, value;
        words >> word >> value;
        if (!follow(program, word, value))
            return Error{source + ":" + std::to_string(number) + ": unknown directive"};
    }
    if (number == 0)
        return Error{source + ": cannot be read"};
    return program;
}

}  // namespace uchronia::guest_tests
