// Any kernel log is taken apart into reports of bounded size.
#include <algorithm>
#include <memory>
#include <string>

#include "base/check.h"
#include "guest/kernel_log.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {

std::vector<std::vector<u8>> seeds() {
    const std::string log =
        "4,1,2,-;------------[ cut here ]------------\n"
        "4,2,3,-;WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2\n"
        "4,3,4,-;Call Trace:\n4,4,5,-; <TASK>\n SUBSYSTEM=x\n"
        "4,5,6,-;---[ end trace 0000000000000000 ]---\n"
        "1,6,7,-;BUG: kernel NULL pointer dereference, address: 0000000000000000\n"
        "1,7,8,-;#PF: supervisor read access in kernel mode\n"
        "6,8,9,c;INFO: task sh:1 blocked for more than 120 seconds.\n"
        "3,9,9,-;watchdog: BUG: soft lockup - CPU#0 stuck for 22s!\n"
        "0,10,9,-;Kernel panic - not syncing: Fatal exception\n";
    return {std::vector<u8>(log.begin(), log.end())};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia::guest;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const auto reports = std::make_unique<KernelReports>();
    const auto use = [&] {
        CHECK(reports->text().size() <= 16384);
        reports->clear();
    };
    while (!rest.empty()) {
        const std::string record(rest.substr(0, rest.find('\n')));
        rest.remove_prefix(std::min(record.size() + 1, rest.size()));
        KernelLogRecord parsed;
        if (parse_kernel_log_record(record, parsed) && reports->add(parsed.text))
            use();
    }
    if (reports->finish())
        use();
    return 0;
}
