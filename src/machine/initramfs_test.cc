#include "machine/initramfs.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "host/files.h"

namespace uchronia::machine {
namespace {

using Strings = std::vector<std::string>;

// An ELF file with nothing but a .modinfo section.
std::string fake_module(const std::string& depends) {
    const std::string information = "license=GPL" + std::string(1, '\0') + "depends=" + depends +
                                    std::string(1, '\0') + "name=x" + std::string(1, '\0');
    const std::string names("\0.modinfo\0.shstrtab\0", 20);
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 3;
    header.e_shstrndx = 2;
    header.e_shoff = sizeof header;
    Elf64_Shdr sections[3]{};
    sections[1].sh_name = 1;
    sections[1].sh_offset = sizeof header + sizeof sections;
    sections[1].sh_size = information.size();
    sections[2].sh_name = 10;
    sections[2].sh_offset = sections[1].sh_offset + information.size();
    sections[2].sh_size = names.size();
    return std::string(reinterpret_cast<const char*>(&header), sizeof header) +
           std::string(reinterpret_cast<const char*>(sections), sizeof sections) + information +
           names;
}

std::span<const u8> bytes_of(const std::string& text) {
    return {reinterpret_cast<const u8*>(text.data()), text.size()};
}

class Initramfs : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "initramfs_test.XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        write("modules.order", "kernel/a-one.ko\nkernel/b/b_two.ko\nkernel/c.ko\nkernel/loop.ko\n");
        write("modules.builtin", "kernel/built-in.ko\n");
        write("kernel/a-one.ko", fake_module("b_two,c"));
        write("kernel/b/b_two.ko", fake_module("c,built_in"));
        write("kernel/c.ko", fake_module(""));
        write("kernel/loop.ko", fake_module("loop2"));
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& name, const std::string& contents) {
        const std::string path = folder_ + "/" + name;
        ASSERT_TRUE(host::create_directories(path.substr(0, path.rfind('/'))).ok());
        ASSERT_TRUE(host::write_file_atomically(path, contents).ok());
    }
    Strings order_of(std::vector<std::string_view> names) {
        const auto modules = read_modules(folder_, names);
        if (!modules)
            return {"error: " + modules.error().message};
        Strings order;
        for (const Module& module : *modules)
            order.push_back(module.name);
        return order;
    }

    std::string folder_;
};

TEST_F(Initramfs, DependenciesComeFirstAndOnce) {
    EXPECT_EQ(order_of({"a_one"}), (Strings{"c", "b_two", "a_one"}));
    EXPECT_EQ(order_of({"c", "built_in", "a_one", "c"}), (Strings{"c", "b_two", "a_one"}));
}

TEST_F(Initramfs, SaysWhatIsMissing) {
    EXPECT_NE(order_of({"nowhere"}).front().find("no module 'nowhere'"), std::string::npos);
    EXPECT_NE(order_of({"loop"}).front().find("no module 'loop2'"), std::string::npos);
    write("modules.order", "kernel/loop.ko\nkernel/loop2.ko\n");
    write("kernel/loop2.ko", fake_module("loop"));
    EXPECT_NE(order_of({"loop"}).front().find("depends on itself"), std::string::npos);
    write("kernel/loop.ko", "no ELF file");
    EXPECT_NE(order_of({"loop"}).front().find("damaged"), std::string::npos);
    std::filesystem::remove(folder_ + "/modules.builtin");
    EXPECT_NE(order_of({"loop"}).front().find("incomplete"), std::string::npos);
}

TEST_F(Initramfs, EveryTruncatedModuleIsRefused) {
    const std::string module = fake_module("b,c");
    EXPECT_EQ(*module_information(bytes_of(module), "depends"), "b,c");
    EXPECT_EQ(*module_information(bytes_of(module), "absent"), "");
    for (std::size_t size = 0; size < module.size(); ++size)
        EXPECT_FALSE(module_information(bytes_of(module.substr(0, size)), "name").ok()) << size;
}

TEST_F(Initramfs, TheArchiveIsANewcArchive) {
    const std::string agent = "the agent";
    const std::vector<Module> modules = {{"c", {1, 2, 3}}, {"b_two", {4}}};
    const std::vector<u8> archive = build_initramfs(bytes_of(agent), modules, bytes_of("fuse"));
    EXPECT_EQ(archive, build_initramfs(bytes_of(agent), modules, bytes_of("fuse")));

    const std::string text(archive.begin(), archive.end());
    const auto field = [&](std::size_t at, int index) {
        return std::stoul(text.substr(at + 6 + static_cast<std::size_t>(index) * 8, 8), nullptr,
                          16);
    };
    const auto align = [](std::size_t n) { return (n + 3) & ~std::size_t{3}; };
    Strings names;
    std::string order;
    std::size_t at = 0;
    while (at < text.size()) {
        ASSERT_EQ(text.substr(at, 6), "070701");
        EXPECT_EQ(field(at, 5), 0u) << "a modification time";
        const std::size_t name_size = field(at, 11);
        names.push_back(text.substr(at + 110, name_size - 1));
        const std::size_t contents = align(at + 110 + name_size);
        if (names.back() == "modules/order")
            order = text.substr(contents, field(at, 6));
        at = align(contents + field(at, 6));
    }
    EXPECT_EQ(names,
              (Strings{"dev", "dev/console", "init", "modules", "modules/c.ko", "modules/b_two.ko",
                       "modules/devname", "modules/order", "TRAILER!!!"}));
    EXPECT_EQ(order, "/modules/c.ko\n/modules/b_two.ko\n");
}

}  // namespace
}  // namespace uchronia::machine
