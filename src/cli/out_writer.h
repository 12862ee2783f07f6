// Writes the files that come out of a guest into a folder of the host (UchroniaFileRecord in
// guest/hypercall.h).
//
// The guest may send anything. Nothing is ever written outside of the folder: paths are checked, no
// symbolic link is followed on the way, a file is always a new one (what has its name is taken
// away, a folder never), and set-user-id bits stay behind. How much comes out is bounded. The first
// thing that is wrong ends it, and is kept to be told at the end.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "guest/hypercall.h"
#include "host/file_descriptor.h"

namespace uchronia::cli {

struct OutLimits {
    u64 bytes = u64{16} << 30;  // of files, with their holes
    u64 records = u64{1} << 21;
    u64 path_bytes = u64{1} << 26;  // of folders, which are kept until the end
};

struct OutSummary {
    u64 files = 0;
    u64 folders = 0;
    u64 links = 0;
    u64 bytes = 0;  // of files
    u64 removed = 0;
    u64 others = 0;  // pipes, sockets, devices
    // The first of them.
    std::vector<std::string> removed_names;
    std::vector<std::string> other_names;
    bool is_complete = false;
};

class OutWriter {
  public:
    // The folder need not exist, but what it is to be made in must. It is made when something
    // comes.
    static Result<std::unique_ptr<OutWriter>> create(const std::string& folder,
                                                     OutLimits limits = {});

    // The next bytes of the stream, in any pieces.
    void receive(std::span<const u8> bytes);

    const OutSummary& summary() const { return summary_; }
    const std::string& folder() const { return folder_; }
    // What ended it too early.
    const std::optional<Error>& error() const { return error_; }

  private:
    OutWriter(std::string folder, OutLimits limits) : folder_(std::move(folder)), limits_(limits) {}

    void fail(const std::string& why);
    void fail_at(const std::string& path, int error);
    void take_record();
    void take_data(std::span<const u8> bytes);
    Status open_root();

    void make_folder(const std::string& path);
    void make_file(const std::string& path);
    void make_link(const std::string& text);
    void begin_data();
    void close_file();
    void finish();
    // The open folder that a path lies in, with the way there; nothing after a failure.
    std::optional<host::FileDescriptor> parent_of(const std::string& path);
    bool make_room(const host::FileDescriptor& parent, const std::string& path);

    const std::string folder_;
    const OutLimits limits_;
    host::FileDescriptor root_;
    OutSummary summary_;
    std::optional<Error> error_;

    std::vector<u8> head_;  // of a record that has not come in whole
    UchroniaFileRecord record_{};
    u64 data_left_ = 0;  // of the present record
    u64 data_offset_ = 0;

    host::FileDescriptor file_;
    std::string file_path_;
    u32 file_mode_ = 0;
    u64 file_size_ = 0;
    struct NewFolder {
        std::string path;
        u32 mode;
    };
    std::vector<NewFolder> new_folders_;
    u64 path_bytes_ = 0;
    u64 records_ = 0;
};

}  // namespace uchronia::cli
