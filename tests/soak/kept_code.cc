#include "tests/soak/kept_code.h"

#include <cstdlib>
#include <filesystem>

#include "tests/soak/guest.h"

namespace uchronia::soak {
namespace {

// So little that generations are forgotten, and the file is replaced.
constexpr cpu::jit::CodeLibrary::Limits kLimits{
    .memory = std::size_t{16} << 20, .file = u64{48} << 20, .other_files = 2};

std::string new_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "soak-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        give_up(Error{"there can be no folder " + name});
    return name;
}

}  // namespace

KeptCode::KeptCode()
    : folder_(new_folder()), in_memory_(std::make_shared<cpu::jit::CodeLibrary>("", kLimits)) {}

KeptCode::~KeptCode() {
    in_file_.reset();
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
}

std::shared_ptr<cpu::jit::CodeLibrary> KeptCode::choose(witness::Random random) {
    save();
    switch (random.below(3)) {
        case 0:
            ++none_;
            return nullptr;
        case 1:
            ++memory_;
            return in_memory_;
        default:
            ++file_;
            in_file_ = std::make_shared<cpu::jit::CodeLibrary>(folder_, kLimits);
            return in_file_;
    }
}

void KeptCode::save() {
    if (in_file_ == nullptr)
        return;
    demand(in_file_->save());
    found_in_file_ += in_file_->counters().pages_found;
    in_file_.reset();
}

std::string KeptCode::description() {
    save();
    return std::to_string(none_) + " without kept code, " + std::to_string(memory_) +
           " with code in memory (" + std::to_string(in_memory_->counters().pages_found) +
           " pages found), " + std::to_string(file_) + " in a file (" +
           std::to_string(found_in_file_) + " pages found)";
}

}  // namespace uchronia::soak
