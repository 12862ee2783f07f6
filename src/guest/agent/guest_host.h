// The agent's calls to the machine (guest/hypercall.h), as functions.
//
// Buffers must be present and, where the machine writes, writable in the agent's page tables: these
// functions touch them and retry when the machine answers -EFAULT. On a computer that is not
// Uchronia, self_test.cc answers in the machine's place.
#pragma once

#include <cstddef>
#include <string_view>

#include "guest/hypercall.h"

namespace uchronia::agent {

// Whether CPUID says that this is Uchronia.
bool on_uchronia();

// One hypercall with up to three arguments; the answer is a size or a negative errno.
long hypercall(UchroniaHypercall function, unsigned long a = 0, unsigned long b = 0,
               unsigned long c = 0);

void log_line(UchroniaLogLevel level, std::string_view text);

// Says what failed, with errno's text, and gives up.
[[noreturn]] void panic(const char* what, const char* name = "");
// As panic, if `result` is negative; else gives `result` back.
long require(long result, const char* what, const char* name = "");

// Hypercalls that move bytes.
long read_run_description(void* buffer, std::size_t size);
void output(int stream, const void* data, std::size_t size);
std::size_t input(UchroniaOwner owner, void* buffer, std::size_t size);
void random_bytes(void* buffer, std::size_t size);
void send_files(UchroniaOwner owner, const void* data, std::size_t size);
void report(UchroniaReportKind kind, std::string_view text);
// The size of the next message, 0 if there is none; it is taken if it fits.
std::size_t take_message(void* buffer, std::size_t size);
void end_visit(int status, unsigned number);
// `status`: as of wait(2). Returns if the run goes on.
void finish(int status);

}  // namespace uchronia::agent
