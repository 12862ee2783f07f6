#include "guest/agent/guest_host.h"

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/agent/self_test.h"

namespace uchronia::agent {
namespace {

constexpr std::size_t kPageSize = 4096;

enum class Access { kRead, kWrite };

// Makes the pages of a buffer present (and private, after a fork) before the machine looks.
void touch(void* buffer, std::size_t size, Access access) {
    volatile char* bytes = static_cast<volatile char*>(buffer);
    for (std::size_t at = 0; at < size; at += kPageSize - at % kPageSize) {
        const char byte = bytes[at];
        if (access == Access::kWrite)
            bytes[at] = byte;
    }
    if (size != 0) {
        const char byte = bytes[size - 1];
        if (access == Access::kWrite)
            bytes[size - 1] = byte;
    }
}

// `first`: the argument before the buffer, of the functions that have one; `last`: the one after
// its size, of the others.
long transfer(UchroniaHypercall function, Access access, unsigned long first, void* buffer,
              std::size_t size, unsigned long last = 0) {
    const unsigned long address = reinterpret_cast<unsigned long>(buffer);
    for (;;) {
        touch(buffer, size, access);
        const bool has_first =
            function == UCHRONIA_OUTPUT || function == UCHRONIA_OOPS || function == UCHRONIA_LOG;
        const long result = has_first ? hypercall(function, first, address, size)
                                      : hypercall(function, address, size, last);
        if (result != -EFAULT)
            return result;
    }
}

// Sends text that is only read; a caller's string may be a literal.
long send(UchroniaHypercall function, unsigned long first, const void* data, std::size_t size) {
    if (size > UCHRONIA_MAXIMUM_TRANSFER)
        size = UCHRONIA_MAXIMUM_TRANSFER;
    return transfer(function, Access::kRead, first, const_cast<void*>(data), size);
}

unsigned long kind_of(int status) {
    return WIFSIGNALED(status) ? UCHRONIA_SIGNALED : UCHRONIA_EXITED;
}

unsigned long code_of(int status) {
    return static_cast<unsigned long>(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

[[noreturn]] void stop_forever() {
    sync();
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}

}  // namespace

bool on_uchronia() {
    unsigned eax;
    unsigned ebx;
    unsigned ecx;
    unsigned edx;
    __cpuid(UCHRONIA_CPUID_LEAF, eax, ebx, ecx, edx);
    return eax >= UCHRONIA_CPUID_LEAF && ebx == UCHRONIA_CPUID_EBX && ecx == UCHRONIA_CPUID_ECX &&
           edx == UCHRONIA_CPUID_EDX;
}

long hypercall(UchroniaHypercall function, unsigned long a, unsigned long b, unsigned long c) {
    if (!on_uchronia())
        return self_test_hypercall(function, a, b, c);
    long result = static_cast<long>(function);
    asm volatile(
        ".byte %c[byte0], %c[byte1]"
        : "+a"(result)
        : "D"(a), "S"(b),
          "d"(c), [byte0] "i"(UCHRONIA_HYPERCALL_BYTE_0), [byte1] "i"(UCHRONIA_HYPERCALL_BYTE_1)
        : "memory");
    return result;
}

void log_line(UchroniaLogLevel level, std::string_view text) {
    send(UCHRONIA_LOG, static_cast<unsigned long>(level), text.data(), text.size());
}

void panic(const char* what, const char* name) {
    const int error = errno;
    char text[512];
    snprintf(text, sizeof text, "the agent cannot %s%s%s: %s", what, *name != '\0' ? " " : "", name,
             strerror(error));
    transfer(UCHRONIA_PANIC, Access::kRead, 0, text, strlen(text));
    stop_forever();
}

long require(long result, const char* what, const char* name) {
    if (result < 0)
        panic(what, name);
    return result;
}

long read_run_description(void* buffer, std::size_t size) {
    return transfer(UCHRONIA_GET_RUN, Access::kWrite, 0, buffer, size);
}

void output(int stream, const void* data, std::size_t size) {
    send(UCHRONIA_OUTPUT, static_cast<unsigned long>(stream), data, size);
}

std::size_t input(UchroniaOwner owner, void* buffer, std::size_t size) {
    const long got = transfer(UCHRONIA_INPUT, Access::kWrite, 0, buffer, size, owner);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

void random_bytes(void* buffer, std::size_t size) {
    errno = EIO;
    if (transfer(UCHRONIA_ENTROPY, Access::kWrite, 0, buffer, size) != static_cast<long>(size))
        panic("get random bytes");
}

void send_files(UchroniaOwner owner, const void* data, std::size_t size) {
    transfer(UCHRONIA_FILES, Access::kRead, 0, const_cast<void*>(data), size, owner);
}

void report(UchroniaReportKind kind, std::string_view text) {
    send(UCHRONIA_OOPS, static_cast<unsigned long>(kind), text.data(), text.size());
}

std::size_t take_message(void* buffer, std::size_t size) {
    const long got = transfer(UCHRONIA_CALL, Access::kWrite, 0, buffer, size);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

void end_visit(int status, unsigned number) {
    hypercall(UCHRONIA_VISIT_END, kind_of(status), code_of(status), number);
}

void finish(int status) {
    hypercall(UCHRONIA_EXIT, kind_of(status), code_of(status));
    if (!on_uchronia())
        stop_forever();
}

}  // namespace uchronia::agent
