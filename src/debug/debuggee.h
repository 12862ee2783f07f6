// What is debugged: a process of the guest as its user knows it, in the machine that runs it.
//
// A thread of the process is seen as ptrace(2) would show it: with the registers of user mode, also
// while it is in the kernel or waits. A vCPU is seen as it is. Where no process is known, there are
// the vCPUs alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "debug/guest_tasks.h"
#include "debug/registers.h"
#include "debug/traveller.h"

namespace uchronia::debug {

// All of a file as the guest had it from outside.
using ReadFile = std::function<Result<std::vector<u8>>(const std::string& path)>;

// Which process.
struct Choice {
    enum class Kind : u8 { kCommand, kName, kNumber, kMachine };
    Kind kind = Kind::kCommand;
    std::string name = {};
    u32 number = 0;
};

struct ThreadView {
    u64 id = 0;  // a thread's number in the guest, or first_vcpu_id + n
    std::string name;
    std::optional<unsigned> vcpu;  // on which it runs
    u64 task = 0;                  // 0: it is a vCPU
};

class Debuggee {
  public:
    static constexpr u64 kFirstVCPU = 0x4000'0000;

    // Goes to the first instruction of the process. Errors: it never begins.
    static Result<std::unique_ptr<Debuggee>> find(Traveller& traveller, const Choice& choice,
                                                  ReadFile read_file);

    // Nothing: the machine alone.
    std::optional<u32> process() const { return process_; }
    // From here on it is another one, which has just been forked.
    void follow(u32 process);
    // The same for looking alone: there and back again.
    void look_at(u32 process) { process_ = process; }
    std::string program();
    Ticks begin() const { return begin_; }
    GuestTasks* tasks() { return tasks_.get(); }

    std::vector<ThreadView> threads();
    std::optional<ThreadView> thread(u64 id);
    // The thread that runs, or ran last; of the process if possible.
    u64 present_thread();
    // Whose turn it is, if it is one of the process: the thread; else the vCPU.
    u64 thread_on(unsigned vcpu);
    // Whether the thread's own instruction is the next one on its vCPU.
    bool is_in_user_mode(const ThreadView& thread);
    // Whether the process is there, with its memory; the machine always is.
    bool is_there();
    // Whether what a vCPU runs is of the process.
    bool is_mine(unsigned vcpu);

    RegisterValues registers(const ThreadView& thread);
    // How many bytes from the address on can be read, and the bytes.
    std::vector<u8> read(u64 address, u64 size);
    std::vector<u8> auxiliary_vector();
    Result<std::vector<u8>> file(const std::string& path);

  private:
    Debuggee(Traveller& traveller, ReadFile read_file)
        : traveller_(traveller), read_file_(std::move(read_file)) {}

    Status go_to_kernel();
    Status go_to_begin(const Choice& choice);
    bool is_chosen(const Choice& choice, u64 task);
    u64 memory();
    bool read_page(u64 address, std::span<u8> page);
    std::vector<u8> mappings_text();
    void copy_vdso(u64 address, std::span<u8> page);
    bool read_unmapped_page(u64 address, std::span<u8> page);

    Traveller& traveller_;
    const ReadFile read_file_;
    std::unique_ptr<GuestTasks> tasks_;  // null: the guest does not tell
    std::optional<u32> process_;
    Ticks begin_{0};
    std::map<std::string, std::vector<u8>> files_;
};

}  // namespace uchronia::debug
