// The world outside of a run: the command's output and input are the process's own, and what the
// guest's kernel and agent report goes to standard error.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/out_writer.h"
#include "machine/outside.h"
#include "machine/run_request.h"

namespace uchronia::cli {

enum class ConsoleUse : u8 { kDrop, kShow };
// What of the guest passes through.
enum class Hearing : u8 {
    kAll,
    kNothing,  // while a history is run to the moment that matters
    kVisit,    // only the command of the visit that begins, and what the kernel reports
};

// Whether the process's standard input is something to read: not a terminal, not /dev/null.
machine::StandardInput standard_input_kind();

class RunOutside final : public machine::Outside {
  public:
    explicit RunOutside(ConsoleUse console) : console_(console) {}

    void set_hearing(Hearing hearing) { hearing_ = hearing; }
    // What a visit writes is kept there in place of being passed on. More than so many bytes of
    // either is a failure of the output.
    static constexpr u64 kMostKept = u64{1} << 30;
    void keep_visit_output(std::string* output, std::string* errors, u64 most = kMostKept) {
        kept_output_ = output;
        kept_errors_ = errors;
        most_kept_ = most;
    }
    // Where the files of a visit go.
    void bring_out_visit_to(OutWriter* writer) { visit_out_ = writer; }
    // Where the files go that come out; null: nowhere.
    void bring_out_to(OutWriter* writer) { out_ = writer; }
    // Reading stops when `descriptor` is readable (InterruptWatcher).
    void stop_input_on(int descriptor) { interrupt_ = descriptor; }
    int interrupt_descriptor() const { return interrupt_; }
    // Called once, when the output cannot be written any more.
    void on_output_failure(std::function<void()> call) { output_failed_ = std::move(call); }
    // The errno of that failure, or 0.
    int output_error() const { return output_error_; }

    void output(machine::OutputStream stream, std::span<const u8> bytes) override;
    u64 input(u64 offset, std::span<u8> bytes) override;
    void console(u8 byte) override;
    void kernel_report(u64 kind, std::string_view text) override;
    void agent_log(u64 level, std::string_view text) override;
    void files(std::span<const u8> bytes) override;
    void visit_files(std::span<const u8> bytes) override;
    void visit_began() override { visit_began_ = true; }

  private:
    bool hears(machine::OutputStream stream) const;
    void keep(std::string& kept, std::span<const u8> bytes);
    void fail(int error);

    ConsoleUse console_;
    int interrupt_ = -1;
    std::function<void()> output_failed_;
    int output_error_ = 0;
    bool input_ended_ = false;
    OutWriter* out_ = nullptr;
    Hearing hearing_ = Hearing::kAll;
    bool visit_began_ = false;
    std::string* kept_output_ = nullptr;
    std::string* kept_errors_ = nullptr;
    u64 most_kept_ = kMostKept;
    OutWriter* visit_out_ = nullptr;
};

std::string report_name(u64 kind);
std::string level_name(u64 log_level);
void say_kernel_report(u64 kind, std::string_view text);
// Errors and warnings of the agent are for users, the rest is for us.
bool is_for_users(u64 log_level);
void say_agent_log(u64 level, std::string_view text);

}  // namespace uchronia::cli
