#include "machine/run_request.h"

#include <cstring>

#include "guest/hypercall.h"

namespace uchronia::machine {
namespace {

void append_word(std::vector<u8>& bytes, u32 word) {
    for (int shift = 0; shift < 32; shift += 8)
        bytes.push_back(static_cast<u8>(word >> shift));
}

Status append_string(std::vector<u8>& bytes, const std::string& text) {
    if (text.find('\0') != std::string::npos)
        return Error{"an argument, variable or path of the command contains a NUL byte"};
    bytes.insert(bytes.end(), text.begin(), text.end());
    bytes.push_back(0);
    return {};
}

Status append_strings(std::vector<u8>& bytes, const std::vector<std::string>& list) {
    for (const std::string& text : list) {
        if (Status status = append_string(bytes, text); !status)
            return status;
    }
    return {};
}

}  // namespace

Result<std::vector<u8>> encode_run_request(const RunRequest& request) {
    if (request.arguments.empty())
        return Error{"there is no command to run; name one after '--'"};
    std::vector<u8> bytes;
    u32 flags = 0;
    if (request.input == StandardInput::kFromHost)
        flags |= UCHRONIA_RUN_HAS_INPUT;
    if (request.root == SharedRoot::kImage)
        flags |= UCHRONIA_RUN_HAS_IMAGE;
    if (!request.out_folder.empty())
        flags |= UCHRONIA_RUN_HAS_OUT;
    if (request.streams == Streams::kTerminal)
        flags |= UCHRONIA_RUN_HAS_TERMINAL;
    const auto count_of = [](const auto& list) { return static_cast<u32>(list.size()); };
    for (const u32 word :
         {UCHRONIA_RUN_MAGIC, 0u, flags, request.uid, request.gid, count_of(request.groups),
          count_of(request.arguments), count_of(request.environment), count_of(request.shares)})
        append_word(bytes, word);
    for (const u32 group : request.groups)
        append_word(bytes, group);

    for (const std::string* folder : {&request.working_directory, &request.modules_folder}) {
        if (Status status = append_string(bytes, *folder); !status)
            return status.error();
    }
    for (const auto* list : {&request.arguments, &request.environment, &request.shares}) {
        if (Status status = append_strings(bytes, *list); !status)
            return status.error();
    }
    if (!request.out_folder.empty()) {
        if (Status status = append_string(bytes, request.out_folder); !status)
            return status.error();
    }
    if (bytes.size() > UCHRONIA_MAXIMUM_TRANSFER)
        return Error{"the arguments and environment are longer than 1 MiB; shorten them"};
    const u32 size = static_cast<u32>(bytes.size());
    std::memcpy(bytes.data() + UCHRONIA_RUN_WORD_SIZE * sizeof size, &size, sizeof size);
    return bytes;
}

}  // namespace uchronia::machine
