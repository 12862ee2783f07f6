// For tests only: a history in which every field has a value of its own.
#pragma once

#include "history/history.h"

namespace uchronia::history {

inline FileRecord sample_record() {
    FileRecord record;
    record.attributes["/usr"] = {.error = 0,
                                 .value = {.mode = 040755,
                                           .uid = 1,
                                           .gid = 2,
                                           .size = 4096,
                                           .modified_seconds = -5,
                                           .modified_nanoseconds = 6}};
    record.attributes["/usr/none"] = {.error = ENOENT, .value = {}};
    record.listings["/usr"] = {
        .error = 0,
        .value = std::make_shared<const host::DirectoryListing>(host::DirectoryListing{
            {.name = "bin", .type = 040000}, {.name = "x", .type = 0100000}})};
    record.listings["/usr/x"] = {.error = ENOTDIR, .value = {}};
    record.links["/bin"] = {.error = 0, .value = "usr/bin"};
    record.blocks[{"/usr/x", 0, 4096}] = {
        .error = 0, .value = {.size = 3, .digest = {7, 8}, .bytes = {'a', 'b', 'c'}}};
    record.blocks[{"/usr/x", 4096, 4096}] = {.error = EIO, .value = {}};
    return record;
}

inline History sample_history() {
    History history;
    history.base = {.image = {0x1111, 0x2222},
                    .state = {0x3333, 0x4444},
                    .kernel_path = "/boot/vmlinuz-test",
                    .kernel_name = "a test kernel",
                    .memory_size = u64{1} << 30,
                    .vcpu_count = 1,
                    .cpu_model = cpu::CPUModel::kV2};  // the golden file is older than the key
    history.request = {.arguments = {"sh", "-c", "echo \xff\xfe \"quoted\"\n"},
                       .environment = {"HOME=/root", "NAME=\xc3\xa4"},
                       .working_directory = "/tmp/work",
                       .shares = {"/srv/data"},
                       .modules_folder = "",  // as above
                       .groups = {4, 20},
                       .uid = 1000,
                       .gid = 1001,
                       .input = machine::StandardInput::kFromHost};
    history.files = {.working_folders = {"/tmp/work", "/srv/data"},
                     .system_folders = {"/usr", "/etc"},
                     .hidden = {"/etc/shadow*"}};
    history.limits = {.timeout = VirtualTime(5'000'000'000),
                      .stop_tick = Ticks(123'456'789),
                      .stop_time = kNever};
    history.tape = {.seeds = {{Ticks(0), 42}, {Ticks(1000), ~u64{0}}},
                    .overrides = {{machine::DecisionKind::kStall, 3, 99}}};
    history.input = {'i', 'n', 0, 'p', 'u', 't'};
    history.result = RunResult{.outcome = {OutcomeKind::kSignaled, 11, "details"},
                               .ticks = Ticks(100'000'000),
                               .time = VirtualTime(200'000'000),
                               .state = {5, 6}};
    history.chain.components = {"machine", "cpu0", "ram"};
    for (u64 i = 0; i < 3; ++i) {
        history.chain.links.push_back({.tick = Ticks(i * kChainInterval),
                                       .time = VirtualTime(i * 2 * kChainInterval),
                                       .state = {i, 100 + i},
                                       .components = {{i, 1}, {i, 2}, {i, 3}}});
    }
    history.record = sample_record();
    return history;
}

}  // namespace uchronia::history
