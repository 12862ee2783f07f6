// A FUSE server: answers the guest kernel's file system requests from a FileSource, read-only.
//
// It is a pure function of its state, the request and the source. What the guest sees of a file
// does not depend on the host's file system: numbers come from the NodeTable, link counts are 1 (2
// for directories), block counts follow from sizes, all times are the time of modification, and
// statfs is constant.
//
// There are no open files in the state: the file handle is not used, and the node alone says what
// is read. Every request that would change something is refused with EROFS. Requests without
// meaning here are answered with ENOSYS, upon which the kernel falls back and does not ask again.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/types.h"
#include "devices/virtio/fuse_protocol.h"
#include "devices/virtio/node_table.h"
#include "host/file_source.h"

namespace uchronia::devices {

class FUSEServer {
  public:
    // No request that we look into is longer; of longer ones only the start is wanted.
    static constexpr u64 kMaximumRequest = 8192;

    explicit FUSEServer(host::FileSource& source) : source_(source) {}

    // Answers one request, whose first bytes (all, up to kMaximumRequest) are `message`, of `size`
    // bytes in all. The reply has at most `capacity` bytes; it is empty if there is none: for
    // FORGET and its like, and for what is too mangled to be answered.
    std::vector<u8> handle(std::span<const u8> message, u64 size, u64 capacity);

    // Back to before INIT.
    void reset();
    void fields(FieldVisitor& v);

  private:
    struct Request {
        fuse_in_header header;
        std::span<const u8> arguments;
        u64 capacity;  // How many bytes of payload the reply has room for.
    };
    // Appends its payload to the reply and returns 0, or returns an errno.
    using Handler = int (FUSEServer::*)(const Request&, std::vector<u8>& reply);
    enum class Answer { kReply, kNone };
    struct Operation {
        u32 opcode;
        u64 least_argument_size;
        Answer answer;
        Handler handler;
    };
    static const Operation kOperations[];
    static const Operation* operation_of(u32 opcode);

    int init(const Request& request, std::vector<u8>& reply);
    int destroy(const Request& request, std::vector<u8>& reply);
    int look_up(const Request& request, std::vector<u8>& reply);
    int get_attributes(const Request& request, std::vector<u8>& reply);
    int access(const Request& request, std::vector<u8>& reply);
    int read_link(const Request& request, std::vector<u8>& reply);
    int open_file(const Request& request, std::vector<u8>& reply);
    int open_directory(const Request& request, std::vector<u8>& reply);
    int read(const Request& request, std::vector<u8>& reply);
    int seek(const Request& request, std::vector<u8>& reply);
    int statistics(const Request& request, std::vector<u8>& reply);
    int accept(const Request& request, std::vector<u8>& reply);
    int refuse_change(const Request& request, std::vector<u8>& reply);
    int not_supported(const Request& request, std::vector<u8>& reply);

    // fuse_directory.cc.
    int list_names(const Request& request, std::vector<u8>& reply);
    int list_in_full(const Request& request, std::vector<u8>& reply);
    enum class Detail { kNames, kAttributes };
    int list(const Request& request, std::vector<u8>& reply, Detail detail);
    void append_entry(std::vector<u8>& reply, const fuse_dirent& entry, const std::string& name,
                      const fuse_entry_out* attributes);

    fuse_entry_out entry_of(u64 node, const host::FileAttributes& attributes) const;

    host::FileSource& source_;
    NodeTable nodes_;
    // The features agreed in INIT, and whether it has been.
    u32 features_ = 0;
    u8 initialised_ = 0;
};

}  // namespace uchronia::devices
