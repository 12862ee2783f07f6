#include "tests/random/generator.h"

#include "tests/random/layout.h"

namespace uchronia::random {
namespace {

Setting make_setting(Random& random, Privileges privileges) {
    Setting setting;
    setting.mixed = privileges == Privileges::kMixed;
    setting.user = random.percent(60);
    setting.tables_for_user = random.percent(30);
    setting.piece_count = 12 + random.below(random.percent(30) ? 160 : 60);
    setting.system_percent = setting.mixed ? 25 : random.percent(30) ? 12 : 3;
    return setting;
}

// Fragments begin anywhere in the quarters of the code pages; the last quarter's go on into the
// next page.
class Layout {
  public:
    Layout(Random& random, Program& program) : random_(random), program_(program) {}

    void make() {
        for (u64 page = 0; page < page::kCodeCount - 1; ++page) {
            for (u64 quarter = 0; quarter < 4; ++quarter)
                starts_.push_back((page::kCode + page) * kPageSize + quarter * 0x400);
        }
        u32 at = 0;
        while (at < program_.pieces.size() && !starts_.empty())
            add_fragment(at);
        program_.pieces.resize(at);
        for (Fragment& fragment : program_.fragments)
            fragment.next =
                random_.percent(70) ? (fragment.first + fragment.count) % at : random_.below(at);
    }

  private:
    void add_fragment(u32& at) {
        const std::size_t choice = random_.below(static_cast<u64>(starts_.size()));
        const u64 start = starts_[choice];
        starts_.erase(starts_.begin() + static_cast<i64>(choice));
        const bool last_quarter = (start & 0xfff) == 0xc00;
        const u64 room = last_quarter ? 0x400 + 0xe0 : 0x3f0 - ((start & 0xfff) == 0 ? 0x100 : 0);
        const u64 skip = (start & 0xfff) == 0 ? 0x100 : random_.below(last_quarter ? 0x400 : 0x100);
        Fragment fragment{start + skip, at, 0, 0};
        u64 size = 5 + (last_quarter ? skip : skip);
        const u32 most = 3 + random_.below(40);
        while (at < program_.pieces.size() && fragment.count < most &&
               size + program_.pieces[at].bytes.size() < room) {
            size += program_.pieces[at].bytes.size();
            ++fragment.count;
            ++at;
        }
        if (fragment.count != 0)
            program_.fragments.push_back(fragment);
    }

    Random& random_;
    Program& program_;
    std::vector<u64> starts_;
};

// Targets were chosen before it was known how many pieces have room.
void limit_targets(Program& program) {
    const u32 count = static_cast<u32>(program.pieces.size());
    for (Piece& piece : program.pieces) {
        for (Hole& hole : piece.holes)
            hole.piece %= count;
    }
}

}  // namespace

Program make_program(u64 seed, u64 number, Privileges privileges) {
    Random random(witness::case_seed(seed, 0x7a6d + static_cast<u64>(privileges), number));
    Setting setting = make_setting(random, privileges);
    Program program;
    for (; setting.index < setting.piece_count; ++setting.index)
        program.pieces.push_back(random.percent(55) ? make_instruction(random, setting)
                                                    : make_idiom(random, setting));
    Layout(random, program).make();
    limit_targets(program);
    add_system(random, setting, program);
    static constexpr u64 kIntervals[] = {1, 3, 17, 100, 100'000};
    program.ticks = 50 + random.below(random.percent(20) ? 6000 : 1500);
    program.interval = random.pick(kIntervals);
    program.heat = random.percent(80) ? 0 : static_cast<u8>(random.below(10));
    for (u32 count = random.percent(40) ? random.below(12) : 0; count != 0; --count)
        program.interrupts.push_back(
            {random.below(program.ticks), static_cast<u8>(random.percent(30) ? 2 : 0x20)});
    return program;
}

u32 any_target(Random& random, const Setting& setting) {
    if (random.percent(35))
        return random.below(setting.piece_count);
    return (setting.index + setting.piece_count - 4 + random.below(12)) % setting.piece_count;
}

u64 Addresses::page_offset() {
    switch (random_.below(6)) {
        case 0:
            return 0xfc0 + random_.below(0x40);
        case 1:
            return 0xff0 + random_.below(16);
        case 2:
            return 16 * random_.below(256);
        case 3:
            return 32 * random_.below(128);
        case 4:
            return random_.below(16);
        default:
            return random_.below(0x1000);
    }
}

u64 Addresses::good() {
    return ((page::kData + random_.below(10)) << kPageBits) + page_offset();
}

u64 Addresses::near() {
    const u64 pages = random_.percent(80) ? 10 : page::kDataCount;
    return ((page::kData + random_.below(pages)) << kPageBits) + page_offset();
}

u64 Addresses::wild() {
    static constexpr u64 kEdges[] = {0,
                                     0x1000,
                                     kLowEnd,
                                     u64{1} << 63,
                                     kHigh,
                                     kHigh - kLowEnd,
                                     ~u64{0xfff},
                                     0xffff'7fff'ffff'f000,
                                     0xdead'beef'dead'beef,
                                     0x20'0000,
                                     0x60'0000,
                                     u64{1} << 32};
    const u64 edge = random_.pick(kEdges);
    return random_.percent(10) ? random_.next() : edge - 32 + random_.below(64);
}

u64 Addresses::data() {
    const u64 choice = random_.below(100);
    if (choice < 45 && setting_.user)
        return good();
    if (choice < 45)
        return (random_.percent(70) ? kHigh : 0) + good();
    if (choice < 55)
        return ((page::kData + random_.below(page::kDataCount)) << kPageBits) + page_offset();
    if (choice < 75)
        return (setting_.user || random_.percent(50) ? 0 : kHigh) + kAlias +
               (u64{random_.below(kAliasCount)} << kPageBits) + page_offset();
    if (choice < 82)
        return kLowEnd - kPageSize * (1 + random_.below(kEdgeCount)) + page_offset();
    if (choice < 86)
        return u64{0} - kPageSize * (1 + random_.below(kEdgeCount)) + page_offset();
    if (choice < 91)
        return ((page::kCode + random_.below(page::kCodeCount)) << kPageBits) + page_offset();
    if (choice < 94)
        return kHigh + page_offset();
    return wild();
}

u64 Addresses::table_entry() {
    const u64 base = setting_.user || (setting_.tables_for_user && random_.percent(50)) ? 0 : kHigh;
    u64 index = 0;
    u64 table = page::kTableLow;
    switch (random_.below(8)) {
        case 0:
        case 1:
            table = page::kTableAlias;
            index = random_.below(kAliasCount);
            break;
        case 2:
            table = page::kTableHigh;
            index = random_.percent(70) ? page::kData + random_.below(page::kDataCount)
                                        : page::kCode + random_.below(page::kCodeCount);
            break;
        case 3:
            table = page::kTableEdge;
            index = 512 - 1 - random_.below(kEdgeCount);
            break;
        case 4:
            index = page::kCode + random_.below(page::kCodeCount);
            break;
        case 5:
            index = page::kStack + random_.below(2);
            break;
        default:
            index = page::kData + random_.below(page::kDataCount);
            break;
    }
    if (random_.percent(3)) {
        table = page::kFirstTable + random_.below(page::kTableEnd - page::kFirstTable);
        index = random_.percent(50) ? 0 : random_.below(512);
    }
    return base + (table << kPageBits) + 8 * index;
}

}  // namespace uchronia::random
