#include "image/build.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "image/image_files.h"
#include "image/testing.h"

namespace uchronia::image {
namespace {

class Build : public testing::Test {
  protected:
    Result<BuiltImage> build(const std::string& source, const EarlierScan& earlier = {}) {
        work_ = {};
        return build_image(source, earlier, store_, folder_ / "work", work_);
    }
    Result<BuiltImage> build_tar(const TarWriter& tar) {
        return build(folder_.write("x.tar", tar.finish()));
    }
    std::string why_not(const TarWriter& tar) {
        const Result<BuiltImage> built = build_tar(tar);
        return built ? "" : built.error().message;
    }
    std::string text_of(const Manifest& manifest, const std::string& path) {
        ImageFiles files(std::make_shared<const Manifest>(manifest), store_);
        std::string text(100, '\0');
        const auto count = files.read(path, 0, {reinterpret_cast<u8*>(text.data()), text.size()});
        return count.ok() ? text.substr(0, *count) : "error " + std::to_string(count.error());
    }

    TestFolder folder_;
    history::ContentStore store_{folder_ / "store"};
    Work work_;
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_F(Build, KeepsWhatATarSays) {
    const Result<BuiltImage> built =
        build_tar(TarWriter()
                      .folder("./")
                      .add("./bin/su", "program",
                           {.type = '0', .link = {}, .mode = 04755, .uid = 0, .gid = 5})
                      .hard_link("bin/other", "./bin/su")
                      .link("sh", "bin/su")
                      .add("dev/null", "", {.type = '3', .link = {}, .mode = 0666})
                      .add("fifo", "", {.type = '6', .link = {}, .mode = 0600, .uid = 1}));
    ASSERT_TRUE(built.ok()) << built.error().message;
    const Entry* su = built->manifest.find("/bin/su");
    ASSERT_NE(su, nullptr);
    EXPECT_EQ(su->attributes.mode, u32{S_IFREG | 04755});
    EXPECT_EQ(su->attributes.gid, 5u);
    EXPECT_EQ(su->attributes.modified_seconds, 1'700'000'000);
    EXPECT_EQ(text_of(built->manifest, "/bin/su"), "program");
    EXPECT_EQ(text_of(built->manifest, "/bin/other"), "program");
    EXPECT_EQ(built->manifest.find("/sh")->target, "bin/su");
    EXPECT_EQ(built->manifest.find("/fifo")->attributes.mode, u32{S_IFIFO | 0600});
    EXPECT_EQ(built->manifest.find("/dev/null"), nullptr);
    EXPECT_EQ(work_.skipped_devices, 1u);
    const Result<Manifest> loaded = load_manifest(built->digest, "x", store_);
    ASSERT_TRUE(loaded.ok());
    EXPECT_EQ(*loaded, built->manifest);
    EXPECT_EQ(file_without_content(*loaded, store_), "");
}

TEST_F(Build, ReadsCompressedArchives) {
    const std::string tar = folder_.write("plain.tar", TarWriter().file("a", "text").finish());
    const Result<BuiltImage> plain = build(tar);
    ASSERT_TRUE(plain.ok());
    for (const char* tool : {"gzip", "xz", "bzip2", "zstd -q"}) {
        const std::string command =
            std::string(tool) + " -c " + tar + " > " + tar + ".z 2>/dev/null";
        if (std::system(command.c_str()) != 0)
            continue;  // the tool is not installed
        const Result<BuiltImage> built = build(tar + ".z");
        ASSERT_TRUE(built.ok()) << tool << built.error().message;
        EXPECT_EQ(built->digest, plain->digest) << tool;
    }
}

TEST_F(Build, NamesAreBytes) {
    const Result<BuiltImage> built =
        build_tar(TarWriter().file("\xc3\xbc", "utf-8").file("latin-\xfc", "other"));
    ASSERT_TRUE(built.ok()) << built.error().message;
    EXPECT_EQ(text_of(built->manifest, "/\xc3\xbc"), "utf-8");
    EXPECT_EQ(text_of(built->manifest, "/latin-\xfc"), "other");
}

TEST_F(Build, HostileArchivesAreRefusedByName) {
    EXPECT_TRUE(contains(why_not(TarWriter().file("../x", "evil")), "'../x' leads out"));
    EXPECT_TRUE(contains(why_not(TarWriter().file("a", "").file("a/../../x", "evil")), "x.tar"));
    EXPECT_TRUE(contains(why_not(TarWriter().hard_link("a", "/etc/passwd")), "not there"));
    EXPECT_TRUE(contains(why_not(TarWriter().link("a", "a").file("a/b", "")), "links"));
    EXPECT_TRUE(contains(why_not(TarWriter()), "there is nothing in it"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
    // Through a symbolic link nothing gets out.
    const Result<BuiltImage> built =
        build_tar(TarWriter().link("out", folder_.path()).file("out/evil", "text"));
    ASSERT_TRUE(built.ok());
    EXPECT_FALSE(std::filesystem::exists(folder_ / "evil"));
}

TEST_F(Build, EveryTruncationIsRefused) {
    const std::string tar = TarWriter().file("a", std::string(1000, 'x')).file("b", "y").finish();
    for (std::size_t size = 1; size < 512 + 1024; size += 7) {
        const Result<BuiltImage> built = build(folder_.write("cut.tar", tar.substr(0, size)));
        ASSERT_FALSE(built.ok()) << size;
        EXPECT_TRUE(contains(built.error().message, "cut.tar")) << built.error().message;
    }
    EXPECT_TRUE(contains(build(folder_.write("no.tar", "some text\n")).error().message,
                         "cannot read " + folder_.path() + "/no.tar as a tar archive"));
    EXPECT_FALSE(build(folder_ / "missing").ok());
}

TEST_F(Build, ASizeThatIsALieIsRefused) {
    std::string tar = TarWriter().file("a", "x").finish();
    std::snprintf(tar.data() + 124, 12, "%011llo", 077777777777ull);
    // The checksum of the changed header.
    std::memset(tar.data() + 148, ' ', 8);
    unsigned sum = 0;
    for (int i = 0; i < 512; ++i)
        sum += static_cast<u8>(tar[static_cast<std::size_t>(i)]);
    std::snprintf(tar.data() + 148, 8, "%06o", sum);
    const Result<BuiltImage> built = build(folder_.write("lie.tar", tar));
    ASSERT_FALSE(built.ok());
    EXPECT_TRUE(contains(built.error().message, "lie.tar")) << built.error().message;
}

TEST_F(Build, ReadsAFolder) {
    folder_.write("root/bin/tool", "program");
    folder_.write("root/large", std::string(kChunkSize + 5, 'x'));
    std::filesystem::create_symlink("../../etc/passwd", folder_ / "root/link");
    ::chmod((folder_ / "root/bin/tool").c_str(), 04711);
    const Result<BuiltImage> built = build(folder_ / "root");
    ASSERT_TRUE(built.ok()) << built.error().message;
    EXPECT_EQ(built->manifest.entries.size(), 5u);
    EXPECT_EQ(built->manifest.find("/bin/tool")->attributes.mode, u32{S_IFREG | 04711});
    EXPECT_EQ(built->manifest.find("/bin/tool")->attributes.uid, 0u);
    EXPECT_EQ(built->manifest.find("/large")->chunks.size(), 2u);
    EXPECT_EQ(built->manifest.find("/link")->target, "../../etc/passwd");

    // Scanned again later, nothing is read; the same digest.
    const Result<BuiltImage> again = build(
        folder_ / "root", {.manifest = &built->manifest, .begin_seconds = ::time(nullptr) + 100});
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(work_.bytes, 0u);
    EXPECT_EQ(again->digest, built->digest);
    folder_.write("root/bin/tool", "changed");
    const Result<BuiltImage> changed = build(
        folder_ / "root", {.manifest = &built->manifest, .begin_seconds = ::time(nullptr) - 100});
    ASSERT_TRUE(changed.ok());
    EXPECT_EQ(text_of(changed->manifest, "/bin/tool"), "changed");
}

TEST_F(Build, ContentThatIsMissingIsNamed) {
    const Result<BuiltImage> built = build_tar(TarWriter().file("a/b", "text"));
    ASSERT_TRUE(built.ok());
    std::filesystem::remove(store_.path_of(built->manifest.find("/a/b")->chunks[0]));
    EXPECT_EQ(file_without_content(built->manifest, store_), "/a/b");
    EXPECT_EQ(text_of(built->manifest, "/a/b"), "error 5");
    std::filesystem::remove(store_.path_of(built->digest));
    const Result<Manifest> gone = load_manifest(built->digest, "mine", store_);
    ASSERT_FALSE(gone.ok());
    EXPECT_TRUE(contains(gone.error().message, "the image mine")) << gone.error().message;
}

}  // namespace
}  // namespace uchronia::image
