#include "host/file_use.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>

#include "host/files.h"

namespace uchronia::host {
namespace {

std::string path_for(const std::string& name) {
    return testing::TempDir() + "file_use_test_" + name;
}

TEST(FileUse, CountsAFileAndAFolder) {
    const std::string folder = path_for("folder");
    ASSERT_TRUE(create_directories(folder).ok());
    ASSERT_TRUE(write_file_atomically(folder + "/a", std::string(100'000, 'x')).ok());
    const FileUse file = use_of(folder + "/a"), all = use_of(folder);
    EXPECT_GE(file.size, 100'000u);
    EXPECT_GE(all.size, file.size);
    EXPECT_GE(all.last_use, file.last_use);
    EXPECT_EQ(use_of(folder + "/none").size, 0u);
}

TEST(FileUse, NotesAUse) {
    const std::string path = path_for("noted");
    ASSERT_TRUE(write_file_atomically(path, std::string_view("x")).ok());
    const i64 changed = seconds_of_change(path);
    note_use(path);
    EXPECT_GE(use_of(path).last_use, changed);
    EXPECT_EQ(seconds_of_change(path), changed);
    note_use(path_for("none"));
}

// The child maps the file, says so, and waits until the parent has looked.
TEST(FileUse, SeesWhatAnotherProcessHasMapped) {
    const std::string path = path_for("mapped");
    ASSERT_TRUE(write_file_atomically(path, std::string(5000, 'x')).ok());
    int ready[2], done[2];
    ASSERT_EQ(::pipe(ready), 0);
    ASSERT_EQ(::pipe(done), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(done[1]);
        const Result<MappedFile> mapped = map_file(path);
        char byte = mapped ? 'y' : 'n';
        const bool told = ::write(ready[1], &byte, 1) == 1 && ::read(done[0], &byte, 1) == 0;
        ::_exit(told ? 0 : 1);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ASSERT_EQ(byte, 'y');
    EXPECT_TRUE(MappedByOthers().contains(path));
    ::close(done[1]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    const Result<MappedFile> own = map_file(path);
    EXPECT_FALSE(MappedByOthers().contains(path));
}

TEST(FileUse, KnowsTheFreeSpace) {
    EXPECT_TRUE(free_space(testing::TempDir()).ok());
    EXPECT_FALSE(free_space(path_for("none")).ok());
}

}  // namespace
}  // namespace uchronia::host
