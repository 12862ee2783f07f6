#include "explore/output_summary.h"

#include <algorithm>

namespace uchronia::explore {
namespace {

constexpr std::size_t kBlock = 4096;

}  // namespace

void OutputSummary::fields(FieldVisitor& v) {
    v("digest_low", digest.low);
    v("digest_high", digest.high);
    v("size", size);
    v("head", head);
    v("tail", tail);
}

// Blocks are of one stream, and full unless the other one follows: so the digest tells the streams
// apart and does not depend on the pieces.
void OutputSummariser::digest_block() {
    const Digest stored[2] = {digest_, digest_of(block_, static_cast<u64>(stream_))};
    digest_ = digest_of({reinterpret_cast<const u8*>(stored), sizeof stored});
    block_.clear();
}

void OutputSummariser::output(machine::OutputStream stream, std::span<const u8> bytes) {
    if (bytes.empty())
        return;
    if (stream != stream_ && !block_.empty())
        digest_block();
    stream_ = stream;
    size_ += bytes.size();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::size_t to_head = std::min<std::size_t>(kHead - head_.size(), text.size());
    head_ += text.substr(0, to_head);
    tail_ += text.substr(to_head);
    if (tail_.size() > kTail)
        tail_.erase(0, tail_.size() - kTail);
    while (!bytes.empty()) {
        const std::size_t count = std::min(kBlock - block_.size(), bytes.size());
        block_.insert(block_.end(), bytes.begin(), bytes.begin() + static_cast<long>(count));
        bytes = bytes.subspan(count);
        if (block_.size() == kBlock)
            digest_block();
    }
}

OutputSummary OutputSummariser::summary() const {
    OutputSummariser whole = *this;
    if (!whole.block_.empty())
        whole.digest_block();
    return {.digest = whole.digest_, .size = size_, .head = head_, .tail = tail_};
}

}  // namespace uchronia::explore
