#include "guest/agent/self_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cstddef>

namespace uchronia::agent {
namespace {

constexpr char kRunWord[] = "uchronia.run=";
// Nothing is random here.
constexpr unsigned char kRandomByte = 0x5a;

void say(const char* what, const char* text, std::size_t size) {
    dprintf(2, "[%s] %.*s\n", what, static_cast<int>(size), text);
}

// Reads the command from /proc/cmdline into `text` as NUL-terminated words; gives their count and,
// in `size`, their bytes.
uint32_t command_words(char* text, std::size_t capacity, std::size_t& size) {
    size = 0;
    const int file = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    const ssize_t got = file < 0 ? -1 : read(file, text, capacity - 1);
    close(file);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    const char* found = strstr(text, kRunWord);
    if (found == nullptr)
        return 0;
    found += strlen(kRunWord);
    size = strcspn(found, " \n") + 1;
    memmove(text, found, size);
    text[size - 1] = '\0';
    uint32_t count = 1;
    for (char* comma = strchr(text, ','); comma != nullptr; comma = strchr(comma, ',')) {
        *comma = '\0';
        ++count;
    }
    return count;
}

long write_run_description(unsigned char* buffer, std::size_t capacity) {
    char words[1024];
    std::size_t words_size;
    const uint32_t count = command_words(words, sizeof words, words_size);
    constexpr char kDirectory[] = "/\0";  // and no modules
    constexpr char kEnvironment[] = "PATH=/usr/bin:/bin\0HOME=/home/nobody";
    uint32_t header[UCHRONIA_RUN_HEADER_WORDS] = {UCHRONIA_RUN_MAGIC};
    const std::size_t size = sizeof header + sizeof kDirectory + words_size + sizeof kEnvironment;
    if (count == 0 || size > capacity)
        return static_cast<long>(size);
    header[UCHRONIA_RUN_WORD_SIZE] = static_cast<uint32_t>(size);
    header[UCHRONIA_RUN_WORD_FLAGS] = UCHRONIA_RUN_HAS_INPUT;
    header[UCHRONIA_RUN_WORD_UID] = 1000;
    header[UCHRONIA_RUN_WORD_GID] = 1000;
    header[UCHRONIA_RUN_WORD_ARGUMENTS] = count;
    header[UCHRONIA_RUN_WORD_ENVIRONMENT] = 2;
    memcpy(buffer, header, sizeof header);
    buffer += sizeof header;
    memcpy(buffer, kDirectory, sizeof kDirectory);
    buffer += sizeof kDirectory;
    memcpy(buffer, words, words_size);
    memcpy(buffer + words_size, kEnvironment, sizeof kEnvironment);
    return static_cast<long>(size);
}

}  // namespace

long self_test_hypercall(UchroniaHypercall function, unsigned long a, unsigned long b,
                         unsigned long c) {
    switch (function) {
        case UCHRONIA_VERSION:
            return UCHRONIA_ABI;
        case UCHRONIA_GET_RUN:
            return write_run_description(reinterpret_cast<unsigned char*>(a), b);
        case UCHRONIA_OUTPUT:
            return write(static_cast<int>(a), reinterpret_cast<char*>(b), c);
        case UCHRONIA_OOPS:
            say("report", reinterpret_cast<char*>(b), c);
            return 0;
        case UCHRONIA_LOG:
            say("log", reinterpret_cast<char*>(b), c);
            return 0;
        case UCHRONIA_FILES:
            return static_cast<long>(b);
        case UCHRONIA_PANIC:
            say("panic", reinterpret_cast<char*>(a), b);
            return 0;
        case UCHRONIA_EXIT:
            dprintf(2, "[exit] kind %lu code %lu\n", a, b);
            return 0;
        case UCHRONIA_ENTROPY:
            memset(reinterpret_cast<char*>(a), kRandomByte, b);
            return static_cast<long>(b);
        case UCHRONIA_READY:
        case UCHRONIA_INPUT:
        case UCHRONIA_CALL:
        case UCHRONIA_VISIT_END:
            return 0;
        case UCHRONIA_MARK:
        case UCHRONIA_ASSERT:
            break;
    }
    return -ENOSYS;
}

}  // namespace uchronia::agent
