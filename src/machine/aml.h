// ACPI Machine Language, as far as a table of devices needs it: each function gives the encoding of
// one object, and objects nest by concatenation.
//
// Source: ACPI Specification 6.5, chapter 20 (AML) and 6.4 (resource data types).
//
// Names are single segments of one to four characters (padded with '_'), with an optional leading
// '\' for the root.
#pragma once

#include <string_view>
#include <vector>

#include "base/types.h"

namespace uchronia::machine::aml {

using Bytes = std::vector<u8>;

// The encodings one after the other.
Bytes join(const std::vector<Bytes>& parts);

// --- Data ---
Bytes integer(u64 value);
Bytes string(std::string_view text);
Bytes buffer(const Bytes& content);
Bytes package(const std::vector<Bytes>& elements);
// A compressed identifier such as "PNP0501" (three letters, four hexadecimal digits).
Bytes eisa_id(std::string_view id);

// --- Named objects ---
Bytes name(std::string_view path, const Bytes& value);
Bytes scope(std::string_view path, const std::vector<Bytes>& objects);
Bytes device(std::string_view segment, const std::vector<Bytes>& objects);

// --- Resources, for resource_template ---
Bytes resource_template(const std::vector<Bytes>& descriptors);
// `count` ports from `base`, decoded by 16 address bits.
Bytes io_ports(u16 base, u8 count);
// Read-write registers at a 32-bit address.
Bytes memory32_fixed(u32 base, u32 size);
// A level-triggered, active-high, exclusive interrupt.
Bytes level_interrupt(u32 number);

}  // namespace uchronia::machine::aml
