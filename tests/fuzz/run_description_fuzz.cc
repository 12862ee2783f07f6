// What the agent makes of any run description stays inside its bytes.
#include <cstring>
#include <memory>

#include "base/check.h"
#include "guest/run_description.h"
#include "machine/run_request.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

u64 length_of(const guest::StringList& list) {
    u64 length = 0;
    const char* text = list.first;
    for (u64 i = 0; i < list.count; ++i, text = guest::next_string(text))
        length += std::strlen(text) + 1;
    return length;
}

void use(const guest::RunDescription& run, std::size_t size) {
    u64 length = std::strlen(run.working_directory) + 1;
    for (const guest::StringList& list : {run.arguments, run.environment, run.shares})
        length += length_of(list);
    if (run.out_folder != nullptr)
        length += std::strlen(run.out_folder) + 1;
    CHECK(length <= size);
    u64 groups = 0;
    for (u32 i = 0; i < run.group_count; ++i)
        groups += guest::group_at(run, i);
    CHECK(groups <= u64{run.group_count} << 32);
    static_cast<void>(guest::run_uses_folder(run, "/usr"));
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    machine::RunRequest request{.arguments = {"sh", "-c", "true"},
                                .environment = {"A=b", "PATH=/bin"},
                                .working_directory = "/usr/share",
                                .shares = {"/home", "/usr"},
                                .modules_folder = "/lib/modules/6.1",
                                .groups = {1, 2, 3},
                                .uid = 1000,
                                .gid = 1000};
    const std::vector<u8> plain = *machine::encode_run_request(request);
    request.out_folder = "/usr/share/out";
    return {plain, *machine::encode_run_request(request)};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    const std::unique_ptr<unsigned char[]> copy(new unsigned char[size]);
    std::memcpy(copy.get(), data, size);
    guest::RunDescription run;
    if (guest::parse_run_description(copy.get(), size, run))
        fuzz::use(run, size);
    return 0;
}
