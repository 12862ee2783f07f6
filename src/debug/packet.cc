#include "debug/packet.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>

namespace uchronia::debug {
namespace {

constexpr char kInterrupt = 3;
constexpr char kDigits[] = "0123456789abcdef";
constexpr std::size_t kLongestPacket = 1u << 20;

int digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

unsigned sum_of(std::string_view payload) {
    unsigned sum = 0;
    for (const char c : payload)
        sum += static_cast<u8>(c);
    return sum & 0xff;
}

}  // namespace

std::string to_hex(std::span<const u8> bytes) {
    std::string text;
    for (const u8 byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::string to_hex(std::string_view text) {
    return to_hex({reinterpret_cast<const u8*>(text.data()), text.size()});
}

std::string from_hex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        const int high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0)
            break;
        bytes += static_cast<char>(high << 4 | low);
    }
    return bytes;
}

std::string hex_number(u64 value) {
    std::string text;
    do
        text += kDigits[value & 15];
    while ((value >>= 4) != 0);
    std::reverse(text.begin(), text.end());
    return text;
}

std::string_view next_word(std::string_view& text, char end) {
    const std::size_t at = text.find(end);
    const std::string_view word = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return word;
}

std::optional<u64> take_number(std::string_view& text) {
    u64 value = 0;
    std::size_t count = 0;
    for (; count < text.size() && digit(text[count]) >= 0; ++count)
        value = value << 4 | static_cast<u64>(digit(text[count]));
    if (count == 0)
        return std::nullopt;
    text.remove_prefix(count);
    return value;
}

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix))
        return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::optional<ThreadID> take_thread_id(std::string_view& text) {
    const auto part = [&text]() -> std::optional<u64> {
        return take(text, "-1") ? 0 : take_number(text);
    };
    const bool has_process = take(text, "p");
    const std::optional<u64> first = part();
    if (!first || !has_process)
        return first ? std::optional(ThreadID{.thread = *first}) : std::nullopt;
    return ThreadID{.process = *first, .thread = take(text, ".") ? part().value_or(0) : 0};
}

std::string escaped(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        if (c == '#' || c == '$' || c == '}' || c == '*') {
            text += '}';
            text += static_cast<char>(c ^ 0x20);
        } else {
            text += c;
        }
    }
    return text;
}

// More of what the other side has sent, if there is any.
bool Connection::fill(bool wait) {
    received_.erase(0, used_);
    used_ = 0;
    char bytes[4096];
    for (;;) {
        const ssize_t count =
            ::recv(socket_.number(), bytes, sizeof bytes, wait ? 0 : MSG_DONTWAIT);
        if (count > 0) {
            received_.append(bytes, static_cast<std::size_t>(count));
            return true;
        }
        if (count < 0 && errno == EINTR)
            continue;
        if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
            gone_ = true;
        return false;
    }
}

std::optional<char> Connection::next() {
    if (used_ == received_.size() && !fill(/*wait=*/true))
        return std::nullopt;
    return received_[used_++];
}

std::optional<std::string> Connection::receive() {
    for (;;) {
        std::optional<char> c = next();
        while (c && *c != '$')
            c = next();
        std::string payload;
        for (c = next(); c && *c != '#' && payload.size() < kLongestPacket; c = next())
            payload += *c;
        const std::optional<char> high = next(), low = next();
        if (!c || !high || !low)
            return std::nullopt;
        const bool is_right = digit(*high) * 16 + digit(*low) == static_cast<int>(sum_of(payload));
        if (acknowledges_)
            write(is_right ? "+" : "-");
        if (is_right)
            return payload;
    }
}

void Connection::send(std::string_view payload) {
    const unsigned sum = sum_of(payload);
    std::string packet = "$" + std::string(payload) + "#";
    packet += kDigits[sum >> 4];
    packet += kDigits[sum & 15];
    write(packet);
}

void Connection::write(std::string_view bytes) {
    while (!bytes.empty() && !gone_) {
        const ssize_t count = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR)
            gone_ = true;
        if (count > 0)
            bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

bool Connection::is_interrupted() {
    while (fill(/*wait=*/false)) {
    }
    const std::size_t at = received_.find(kInterrupt, used_);
    if (at == std::string::npos)
        return gone_;
    received_.erase(at, 1);
    return true;
}

}  // namespace uchronia::debug
