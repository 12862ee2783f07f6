// The packets of gdb's remote protocol: "$payload#checksum", with acknowledgements until both sides
// agree to do without, and the notations that payloads use.
//
// Source: the gdb manual, appendix E (remote serial protocol).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/types.h"
#include "host/file_descriptor.h"

namespace uchronia::debug {

inline constexpr std::size_t kMostInPacket = 0x8000;  // bytes of payload, before they are escaped

std::string to_hex(std::span<const u8> bytes);
std::string to_hex(std::string_view text);
// Up to the first character that is no pair of digits.
std::string from_hex(std::string_view text);
std::string hex_number(u64 value);
// Takes a hexadecimal number from the front of a text, if there is one.
std::optional<u64> take_number(std::string_view& text);
// Takes what comes before the next `end`, and that.
std::string_view next_word(std::string_view& text, char end);
// Takes a prefix.
bool take(std::string_view& text, std::string_view prefix);
// "p50.51" or "51", in hexadecimal; -1 and 0 stand for all or any.
struct ThreadID {
    u64 process = 0, thread = 0;  // 0: any
};
std::optional<ThreadID> take_thread_id(std::string_view& text);
// For binary payloads.
std::string escaped(std::string_view bytes);

class Connection {
  public:
    explicit Connection(host::FileDescriptor socket) : socket_(std::move(socket)) {}

    // The next packet's payload; nothing: the other side has gone.
    std::optional<std::string> receive();
    void send(std::string_view payload);
    void stop_acknowledging() { acknowledges_ = false; }
    // Whether the other side asks to stop what runs (Ctrl-C), or has gone. Does not wait.
    bool is_interrupted();

  private:
    bool fill(bool wait);
    std::optional<char> next();
    void write(std::string_view bytes);

    host::FileDescriptor socket_;
    std::string received_;
    std::size_t used_ = 0;
    bool acknowledges_ = true;
    bool gone_ = false;
};

}  // namespace uchronia::debug
