// Translations that outlive a machine: images of blocks by the contents of the page that they were
// made from. Shared by the machines of a process, on any of its threads, and kept in a file between
// processes. Losing it costs time only.
//
// In memory, what is added lies in two generations: when the young one is full, the old one is
// forgotten and the young one becomes old; what is asked for becomes young again. The file grows by
// appending; when it is too large, it is replaced by what this process has used.
//
// The file is for one translator (the program's build) on one kind of host, named by an identity.
// It holds machine code: it is as trusted as the program itself, and written for its user only.
// Records have checksums: what is damaged is left out, and the rest is used.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "host/files.h"

namespace uchronia::cpu::jit {

class CodeLibrary {
  public:
    struct Limits {
        std::size_t memory = std::size_t{128} << 20;  // of what is added, per generation
        u64 file = u64{512} << 20;
        unsigned other_files = 2;  // of other identities
    };

    // Without a folder nothing is kept beyond the process.
    CodeLibrary() = default;
    CodeLibrary(std::string folder, Limits limits) : folder_(std::move(folder)), limits_(limits) {}
    CodeLibrary(const CodeLibrary&) = delete;
    CodeLibrary& operator=(const CodeLibrary&) = delete;

    // To be called before anything else by each that wants to use the library: reads the file at
    // the first call. False: it is in use for another identity, or the identity is unknown.
    bool open(Digest identity);

    // A piece of images, for as long as it lives.
    struct Piece {
        std::span<const u8> images;
        std::shared_ptr<const std::vector<u8>> owner = {};  // null: lies in the file
        Digest checksum = {};                               // of one that does
    };
    // What is known of a page with these contents.
    std::vector<Piece> find(Digest page);
    void add(Digest page, std::vector<u8> images);

    // Brings what was added into the file. Call it when the machines are gone.
    Status save();

    struct Counters {
        u64 pages_found = 0, pages_missed = 0, pages_added = 0, bytes_added = 0, generations = 0,
            damaged = 0;
    };
    Counters counters();

  private:
    struct HashOfDigest {
        std::size_t operator()(Digest digest) const { return digest.low; }
    };
    template <class T>
    using ByPage = std::unordered_map<Digest, T, HashOfDigest>;
    struct Entry {
        std::vector<Piece> pieces;
        bool used = false;  // and so, checked
    };

    void read_file();
    Status append();
    Status replace_by_used(const void* header, std::size_t header_size);
    void remove_other_files() const;
    std::string path() const;

    const std::string folder_;
    const Limits limits_;
    std::mutex mutex_;
    bool open_ = false;
    Digest identity_;
    host::MappedFile file_;
    u64 generation_ = 0;
    u64 file_size_ = 0;  // of its sound part, as it was read
    ByPage<Entry> in_file_;
    ByPage<std::vector<Piece>> young_, old_;
    std::size_t young_size_ = 0;
    std::vector<std::pair<Digest, Piece>> unsaved_;
    u64 unsaved_size_ = 0;
    Counters counters_;
};

}  // namespace uchronia::cpu::jit
