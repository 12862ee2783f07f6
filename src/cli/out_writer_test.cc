#include "cli/out_writer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "cli/out_option.h"

namespace uchronia::cli {
namespace {

namespace fs = std::filesystem;

// A stream as the agent sends it, or as it never would.
class Stream {
  public:
    Stream& add(u32 kind, const std::string& text, u64 size = 0, u32 mode = 0644, u64 offset = 0) {
        ++count_;
        UchroniaFileRecord record{};
        record.kind = kind;
        record.mode = mode;
        record.size = size;
        record.offset = offset;
        record.text_size = static_cast<u32>(text.size());
        const u8* bytes = reinterpret_cast<const u8*>(&record);
        bytes_.insert(bytes_.end(), bytes, bytes + sizeof record);
        bytes_.insert(bytes_.end(), text.begin(), text.end());
        return *this;
    }
    Stream& file(const std::string& path, const std::string& content, u32 mode = 0644) {
        add(UCHRONIA_FILE_REGULAR, path, content.size(), mode);
        return data(content, 0);
    }
    Stream& data(const std::string& content, u64 offset) {
        add(UCHRONIA_FILE_DATA, "", content.size(), 0, offset);
        bytes_.insert(bytes_.end(), content.begin(), content.end());
        return *this;
    }
    Stream& folder(const std::string& path, u32 mode = 0755) {
        return add(UCHRONIA_FILE_FOLDER, path, 0, mode);
    }
    Stream& link(const std::string& path, const std::string& target) {
        return add(UCHRONIA_FILE_SYMLINK, path + std::string(1, '\0') + target);
    }
    Stream& end() { return add(UCHRONIA_FILE_END, "", count_); }
    const std::vector<u8>& bytes() const { return bytes_; }

  private:
    std::vector<u8> bytes_;
    u64 count_ = 0;
};

class Out : public testing::Test {
  protected:
    Out() {
        char name[] = "/tmp/uchronia-out-XXXXXX";
        folder_ = ::mkdtemp(name);
        out_ = folder_ + "/out";
    }
    ~Out() override { fs::remove_all(folder_); }

    // What is wrong, or "".
    std::string send(const Stream& stream, std::size_t piece = ~std::size_t{0},
                     OutLimits limits = {}) {
        Result<std::unique_ptr<OutWriter>> writer = OutWriter::create(out_, limits);
        if (!writer)
            return writer.error().message;
        std::span<const u8> rest = stream.bytes();
        while (!rest.empty()) {
            const std::size_t count = std::min(piece, rest.size());
            (*writer)->receive(rest.first(count));
            rest = rest.subspan(count);
        }
        summary_ = (*writer)->summary();
        return (*writer)->error() ? (*writer)->error()->message : "";
    }
    std::string content(const std::string& path) {
        std::ifstream file(out_ + "/" + path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    u32 mode_of(const std::string& path) {
        struct stat status {};
        ::lstat((out_ + "/" + path).c_str(), &status);
        return status.st_mode & 07777;
    }

    std::string folder_, out_;
    OutSummary summary_;
};

TEST_F(Out, WritesWhatComes) {
    Stream stream;
    stream.folder("d", 0500).file("d/a", "text", 0755).link("d/l", "a").folder("d/e");
    stream.add(UCHRONIA_FILE_REGULAR, "holes", 100).data("xy", 50);
    stream.add(UCHRONIA_FILE_REMOVED, "gone").add(UCHRONIA_FILE_OTHER, "pipe").end();
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100000}}) {
        fs::remove_all(out_);
        EXPECT_EQ(send(stream, piece), "");
        EXPECT_TRUE(summary_.is_complete);
        EXPECT_EQ(content("d/a"), "text");
        EXPECT_EQ(mode_of("d/a"), 0755u);
        EXPECT_EQ(mode_of("d"), 0500u);
        EXPECT_EQ(fs::read_symlink(out_ + "/d/l"), "a");
        EXPECT_EQ(content("holes"), std::string(50, '\0') + "xy" + std::string(48, '\0'));
        EXPECT_EQ(summary_.files, 2u);
        EXPECT_EQ(summary_.bytes, 104u);
        EXPECT_EQ(summary_.removed_names, std::vector<std::string>{"gone"});
        EXPECT_EQ(summary_.other_names, std::vector<std::string>{"pipe"});
        fs::permissions(out_ + "/d", fs::perms(0700));
    }
}

TEST_F(Out, NothingIsMadeBeforeSomethingComes) {
    EXPECT_EQ(send(Stream()), "");
    EXPECT_FALSE(fs::exists(out_));
    EXPECT_FALSE(summary_.is_complete);
    EXPECT_EQ(send(Stream().end()), "");
    EXPECT_TRUE(fs::is_directory(out_));
}

TEST_F(Out, SetUserIDStaysInside) {
    EXPECT_EQ(send(Stream().file("su", "x", 06755).end()), "");
    EXPECT_EQ(mode_of("su"), 0755u);
}

TEST_F(Out, PathsThatLeadOutAreRefused) {
    for (const char* path : {"../x", "/x", "a/../../x", "", ".", "..", "a//b", "a/", "./a"}) {
        EXPECT_NE(send(Stream().file(path, "evil").end()), "") << path;
        EXPECT_NE(send(Stream().folder(path).end()), "") << path;
        EXPECT_NE(send(Stream().link(path, "x").end()), "") << path;
    }
    EXPECT_NE(send(Stream().file(std::string("a\0b", 3), "evil").end()), "");
    EXPECT_NE(send(Stream().file(std::string(256, 'x'), "evil").end()), "");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
    EXPECT_TRUE(fs::is_empty(out_));
}

TEST_F(Out, SymbolicLinksAreNotFollowed) {
    fs::create_directory(folder_ + "/elsewhere");
    const std::string target = folder_ + "/elsewhere";
    EXPECT_NE(send(Stream().link("l", target).file("l/evil", "x").end()), "");
    EXPECT_NE(send(Stream().link("l", target).folder("l").end()), "");
    EXPECT_NE(send(Stream().link("l", target).link("l/evil", "x").end()), "");
    EXPECT_TRUE(fs::is_empty(target));
    // A file of the same name replaces the link, and not what it leads to.
    std::ofstream(target + "/precious") << "precious";
    EXPECT_EQ(send(Stream().link("f", target + "/precious").file("f", "new").end()), "");
    EXPECT_EQ(content("f"), "new");
    std::ifstream precious(target + "/precious");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(precious), {}), "precious");
}

TEST_F(Out, AFileIsANewOne) {
    fs::create_directory(out_);
    std::ofstream(folder_ + "/precious") << "precious";
    fs::create_hard_link(folder_ + "/precious", out_ + "/f");
    EXPECT_EQ(send(Stream().file("f", "new").end()), "");
    EXPECT_EQ(content("f"), "new");
    std::ifstream precious(folder_ + "/precious");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(precious), {}), "precious");
    fs::create_directories(out_ + "/d/e");
    const std::string error = send(Stream().file("d", "new").end());
    EXPECT_NE(error.find("take it away"), std::string::npos) << error;
    EXPECT_TRUE(fs::is_directory(out_ + "/d/e"));
}

TEST_F(Out, HowMuchComesOutIsBounded) {
    const OutLimits limits{.bytes = 1000, .records = 20, .path_bytes = 10};
    std::string error = send(Stream().add(UCHRONIA_FILE_REGULAR, "large", 1001).end(), 100, limits);
    EXPECT_NE(error.find("large"), std::string::npos);
    error = send(Stream().add(UCHRONIA_FILE_REGULAR, "large", ~u64{0}).end(), 100, limits);
    EXPECT_NE(error, "");
    EXPECT_NE(send(Stream().file("a", std::string(600, 'x')).file("b", std::string(600, 'x')), 100,
                   limits),
              "");
    Stream many;
    for (int i = 0; i < 30; ++i)
        many.add(UCHRONIA_FILE_REMOVED, "x");
    EXPECT_NE(send(many, 100, limits), "");
    EXPECT_NE(send(Stream().folder("12345").folder("123456"), 100, limits), "");
}

TEST_F(Out, WhatIsNoStreamIsRefused) {
    EXPECT_NE(send(Stream().add(99, "x")), "");
    EXPECT_NE(send(Stream().data("x", 0)), "");
    EXPECT_NE(send(Stream().add(UCHRONIA_FILE_REGULAR, "f", 2).data("xyz", 0)), "");
    EXPECT_NE(send(Stream().add(UCHRONIA_FILE_REGULAR, "f", 2).data("x", ~u64{0})), "");
    EXPECT_NE(send(Stream().add(UCHRONIA_FILE_REGULAR, "f", 2).data("x", 2)), "");
    EXPECT_NE(send(Stream().end().folder("x")), "");
    EXPECT_NE(send(Stream().folder("x").add(UCHRONIA_FILE_END, "", 2)), "");
    EXPECT_NE(send(Stream().add(UCHRONIA_FILE_END, "x")), "");
    EXPECT_NE(send(Stream().link("l", "")), "");
    EXPECT_NE(send(Stream().add(UCHRONIA_FILE_SYMLINK, "l")), "");
    EXPECT_NE(send(Stream().add(UCHRONIA_FILE_FOLDER, std::string(9000, 'x'))), "");
    EXPECT_EQ(send(Stream().file("f", "x")), "");
    EXPECT_FALSE(summary_.is_complete);
}

TEST_F(Out, TheFolderMustBePossible) {
    std::ofstream(folder_ + "/file") << "x";
    EXPECT_FALSE(OutWriter::create(folder_ + "/file").ok());
    EXPECT_FALSE(OutWriter::create(folder_ + "/no/such").ok());
    EXPECT_FALSE(OutWriter::create("").ok());
    EXPECT_TRUE(OutWriter::create(folder_).ok());
}

TEST(OutOption, NamesAFolderOfTheGuest) {
    EXPECT_EQ(out_folder_of(*parse_out("dir"), "/work"), "/work");
    EXPECT_EQ(out_folder_of(*parse_out("/srv/x/=dir"), "/work"), "/srv/x");
    EXPECT_EQ(out_folder_of(*parse_out("../build=dir"), "/work/a"), "/work/build");
    EXPECT_EQ(out_folder_of(*parse_out("/=dir"), "/work"), "/");
    EXPECT_EQ(parse_out("a=b=c")->host_folder, "b=c");
    EXPECT_FALSE(parse_out("=x").ok());
    EXPECT_FALSE(parse_out("x=").ok());
}

}  // namespace
}  // namespace uchronia::cli
