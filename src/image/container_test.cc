#include "image/container.h"

#include <gtest/gtest.h>

#include "image/build.h"
#include "image/testing.h"

namespace uchronia::image {
namespace {

constexpr char kHexA[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
constexpr char kHexB[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
constexpr char kHexC[] = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";
constexpr char kConfiguration[] =
    R"({"architecture":"amd64","os":"linux","config":{"Entrypoint":["/bin/e"],"Cmd":["c"],)"
    R"("Env":["A=b"],"WorkingDir":"/w","User":"u:g"}})";

std::string lower_layer() {
    return TarWriter().file("bin/e", "lower").file("gone", "x").file("d/old", "x").finish();
}
std::string upper_layer() {
    return TarWriter().file(".wh.gone", "").file("d/.wh..wh..opq", "").file("d/new", "y").finish();
}

class ContainerImage : public testing::Test {
  protected:
    Result<BuiltImage> build(const std::string& source) {
        Work work;
        return build_image(source, {}, store_, folder_ / "work", work);
    }
    void expect_right(const Result<BuiltImage>& built) {
        ASSERT_TRUE(built.ok()) << built.error().message;
        EXPECT_EQ(built->name, "mine:1");
        EXPECT_EQ(built->manifest.configuration, (Configuration{.entrypoint = {"/bin/e"},
                                                                .command = {"c"},
                                                                .environment = {"A=b"},
                                                                .working_directory = "/w",
                                                                .user = "u:g"}));
        std::string names;
        for (const Entry& entry : built->manifest.entries)
            names += entry.path + " ";
        EXPECT_EQ(names, "/ /bin /bin/e /d /d/new ");
        EXPECT_FALSE(std::filesystem::exists(folder_ / "work/gone"));
        EXPECT_TRUE(std::filesystem::is_empty(folder_ / "work") ||
                    !std::filesystem::exists(folder_ / "work"));
    }
    std::string why_not(const std::string& tar) {
        const Result<BuiltImage> built = build(folder_.write("bad.tar", tar));
        return built ? "" : built.error().message;
    }

    TestFolder folder_;
    history::ContentStore store_{folder_ / "store"};
};

std::string docker_manifest() {
    return std::string(R"([{"Config":")") + kHexC + R"(.json","RepoTags":["mine:1"],"Layers":[")" +
           kHexA + R"(/layer.tar",")" + kHexB + R"(/layer.tar"]}])";
}

TEST_F(ContainerImage, OfDockerSave) {
    const std::string tar = TarWriter()
                                .folder(std::string(kHexB) + "/")
                                .file(std::string(kHexB) + "/layer.tar", upper_layer())
                                .file(std::string(kHexA) + "/layer.tar", lower_layer())
                                .file("manifest.json", docker_manifest())
                                .file(std::string(kHexC) + ".json", kConfiguration)
                                .file("repositories", "{}")
                                .finish();
    const std::string path = folder_.write("docker.tar", tar);
    expect_right(build(path));
    if (std::system(("gzip -k " + path).c_str()) == 0)
        expect_right(build(path + ".gz"));
}

// As other tools write it: layers are links to files that come later.
TEST_F(ContainerImage, OfLinkedLayers) {
    const std::string tar =
        TarWriter()
            .link(std::string(kHexA) + "/layer.tar", "../" + std::string(kHexA) + ".tar")
            .hard_link(std::string(kHexB) + "/layer.tar", std::string(kHexB) + ".tar")
            .file(std::string(kHexB) + ".tar", upper_layer())
            .file(std::string(kHexA) + ".tar", lower_layer())
            .file(std::string(kHexC) + ".json", kConfiguration)
            .file("manifest.json", docker_manifest())
            .finish();
    expect_right(build(folder_.write("linked.tar", tar)));
}

// Something else at the top: a root file system that happens to have such a file.
TEST_F(ContainerImage, IsNotARootFileSystem) {
    const Result<BuiltImage> built = build(folder_.write(
        "root.tar",
        TarWriter().file("manifest.json", docker_manifest()).file("bin/x", "").finish()));
    ASSERT_TRUE(built.ok()) << built.error().message;
    EXPECT_NE(built->manifest.find("/manifest.json"), nullptr);
}

std::string descriptor(const char* hex) {
    return std::string(R"("digest":"sha256:)") + hex + "\"";
}

std::string oci_manifest() {
    return R"({"schemaVersion":2,"config":{)" + descriptor(kHexC) + R"(},"layers":[{)" +
           descriptor(kHexA) + "},{" + descriptor(kHexB) + "}]}";
}

constexpr char kHexD[] = "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";
constexpr char kHexE[] = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";

// An index that names an index of two platforms.
std::string outer_index() {
    return R"({"schemaVersion":2,"manifests":[{)" + descriptor(kHexE) +
           R"(,"annotations":{"org.opencontainers.image.ref.name":"mine:1"}}]})";
}
std::string inner_index() {
    return R"({"manifests":[{)" + descriptor(kHexB) +
           R"(,"platform":{"os":"linux","architecture":"arm64"}},{)" + descriptor(kHexD) +
           R"(,"platform":{"os":"linux","architecture":"amd64"}}]})";
}

TEST_F(ContainerImage, OfAnOCILayout) {
    const std::string blobs = "blobs/sha256/";
    const std::pair<std::string, std::string> members[] = {
        {"oci-layout", R"({"imageLayoutVersion":"1.0.0"})"},
        {"index.json", outer_index()},
        {blobs + kHexA, lower_layer()},
        {blobs + kHexB, upper_layer()},
        {blobs + kHexC, kConfiguration},
        {blobs + kHexD, oci_manifest()},
        {blobs + kHexE, inner_index()}};
    TarWriter tar;
    for (const auto& [name, content] : members) {
        tar.file(name, content);
        folder_.write("layout/" + name, content);
    }
    expect_right(build(folder_.write("oci.tar", tar.finish())));
    std::filesystem::remove_all(folder_ / "work");
    std::filesystem::create_directories(folder_ / "work");
    expect_right(build(folder_ / "layout"));
    std::filesystem::remove(folder_ / ("layout/" + blobs + kHexA));
    const Result<BuiltImage> incomplete = build(folder_ / "layout");
    ASSERT_FALSE(incomplete.ok());
    EXPECT_NE(incomplete.error().message.find("is missing"), std::string::npos);
}

TEST_F(ContainerImage, WhatIsWrongIsSaid) {
    const auto archive = [](const std::string& manifest, const std::string& configuration) {
        return TarWriter()
            .file("manifest.json", manifest)
            .file(std::string(kHexC) + ".json", configuration)
            .file(std::string(kHexA) + "/layer.tar", lower_layer())
            .file(std::string(kHexB) + "/layer.tar", upper_layer())
            .finish();
    };
    const auto says = [&](const std::string& tar, const char* part) {
        return why_not(tar).find(part) != std::string::npos;
    };
    EXPECT_EQ(why_not(archive(docker_manifest(), kConfiguration)), "");
    EXPECT_TRUE(says(archive("{", kConfiguration), "no JSON"));
    EXPECT_TRUE(says(archive("[]", kConfiguration), "names no image"));
    EXPECT_TRUE(says(archive("[{},{}]", kConfiguration), "2 images"));
    EXPECT_TRUE(says(archive(R"([{"Config":"x","Layers":["../../etc/passwd"]}])", kConfiguration),
                     "is missing"));
    EXPECT_TRUE(says(archive(docker_manifest(), R"({"architecture":"arm64"})"), "for arm64"));
    EXPECT_TRUE(says(TarWriter()
                         .file("oci-layout", "{}")
                         .file("index.json", R"({"manifests":[{"digest":"sha256:../../x"}]})")
                         .finish(),
                     "which is none"));
    EXPECT_TRUE(says(
        TarWriter().file("oci-layout", "{}").file("index.json", R"({"manifests":[]})").finish(),
        "no image for Linux"));
}

}  // namespace
}  // namespace uchronia::image
