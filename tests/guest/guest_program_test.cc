// Runs the assembly tests of this folder, each one in a machine of its own, with each engine: once
// straight, once more, in odd and in random pieces with all caches dropped between some of them,
// and through checkpoints at several ticks; and in random pieces by random engines. All of these
// must end at the same tick in the same state, whatever the host gives for what the manuals leave
// undefined. Code is translated when it first runs.
//
// A test decides for itself whether the machine did right, and exits with 0; after any other end,
// the message has what guest.inc has recorded: the line of the check and the last exception.

#include "tests/guest/program.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <map>
#include <memory>

#include "base/prng.h"

namespace uchronia::guest_tests {
namespace {

using machine::Engine;

struct Row {
    const char* name;
    const char* source;
    const char* image;

    friend void PrintTo(const Row& row, std::ostream* out) { *out << row.source; }
};
constexpr Row kRows[] = {
#include "guest_programs.inc"
};

constexpr u64 kMemorySize = u64{16} << 20;
constexpr u64 kRandomRuns = 8;

class Decisions final : public machine::DecisionSource {
  public:
    u64 word(machine::DecisionKind kind, u64 counter, Ticks) override {
        return random_word(1, static_cast<u64>(kind), counter);
    }
};

// Every integer field of a component by its path.
class FieldReader final : public FieldVisitor {
  public:
    void enter(std::string_view name) override { path_ += std::string(name) + '.'; }
    void leave() override { path_.resize(path_.rfind('.', path_.size() - 2) + 1); }
    void count(std::string_view, u64&, u64) override {}
    void bytes(std::string_view name, void* data, std::size_t size) override {
        u64 value = 0;
        std::memcpy(&value, data, std::min(size, sizeof value));
        values[path_ + std::string(name)] = value;
    }

    std::map<std::string, u64> values;

  private:
    std::string path_;
};

cpu::CPUState entry_state(const Program& program) {
    using cpu::Segment;
    cpu::CPUState state;
    state.rip = program.entry();
    state.cr0 = cpu::cr0::kPE | cpu::cr0::kET | cpu::cr0::kNE | cpu::cr0::kPG;
    state.cr3 = program.page_tables();
    state.cr4 = cpu::cr4::kPAE;
    state.efer = cpu::efer::kLME | cpu::efer::kLMA;
    const u16 code = Segment::kGranular | Segment::kLong | 0x9b;
    state.set_segment(cpu::kCS, {.base = 0, .limit = ~u32{0}, .selector = 8, .attributes = code});
    return state;
}

constexpr Engine kEngines[] = {Engine::kInterpreter, Engine::kTranslator};

const char* name_of(Engine engine) {
    return engine == Engine::kInterpreter ? "the interpreter" : "translated code";
}

// A machine with the program in it, about to run its first instruction.
class Guest {
  public:
    Guest(const Program& program, Engine engine, const cpu::jit::TranslatorOptions& translator = {})
        : program_(program),
          machine_(frames_,
                   {.memory_size = kMemorySize, .engine = engine, .translator = translator}) {
        machine_.set_heat_threshold(0);
        EXPECT_TRUE(machine_.ram().write(Program::kBase, program.image));
        machine_.set_boot_state(entry_state(program));
        machine_.set_environment(
            {.decisions = &decisions_, .outside = &nobody_, .files = nullptr, .request = {}});
    }

    machine::StopReason run() { return machine_.run(program_.limit); }
    machine::Machine& operator*() { return machine_; }
    machine::Machine* operator->() { return &machine_; }

    // What the program has recorded, for a message.
    std::string report() {
        static constexpr const char* kNames[] = {
            "line",  "got", "wanted", "last exception: vector", "error", "rip", "cr2", "cs",
            "flags", "rsp", "ss",     "handler's rsp",          "count"};
        std::string text;
        for (std::size_t i = 0; i < std::size(kNames); ++i) {
            u64 value = 0;
            machine_.ram().load(program_.report() + PhysicalAddress(8 * i), value);
            text += std::string(i == 0 ? "" : ", ") + kNames[i] + ' ' +
                    (i == 0 ? std::to_string(value) : machine::to_hex_number(value));
        }
        return text + "; now at " + machine::to_hex_number(machine_.vcpu(0).state.rip);
    }

  private:
    const Program& program_;
    memory::FrameStore frames_;
    Decisions decisions_;
    machine::SilentOutside nobody_;
    machine::Machine machine_;
};

class GuestTest : public testing::TestWithParam<Row> {
  protected:
    void SetUp() override {
        Result<Program> loaded = load_program(GetParam().source, GetParam().image);
        ASSERT_TRUE(loaded) << loaded.error().message;
        program_ = *loaded;
    }

    Program program_;
};

// How a run is cut up: after each piece of `next_piece` ticks, `between` does what must not matter.
class Pieces {
  public:
    virtual ~Pieces() = default;
    virtual Ticks next_piece() = 0;
    virtual void between(machine::Machine& machine) = 0;
};

// Single ticks where the tests do their work, longer pieces in the loops of the slow ones.
class OddPieces final : public Pieces {
  public:
    Ticks next_piece() override {
        static constexpr u64 kPieces[] = {1, 2, 1, 3, 1, 5, 1, 7, 1, 31, 64, 1000};
        return Ticks(kPieces[count_++ % std::size(kPieces)]);
    }
    void between(machine::Machine& machine) override {
        if (count_ % 5 == 1)
            machine.drop_caches();
    }

  private:
    u64 count_ = 0;
};

enum class Engines : u8 { kOne, kBoth };

// From 1 to 2047 ticks, each power of two as likely as the next.
class RandomPieces final : public Pieces {
  public:
    RandomPieces(u64 seed, Engines engines) : seed_(seed), engines_(engines) {}
    Ticks next_piece() override {
        const u64 bit = u64{1} << draw(11);
        return Ticks(bit + draw(bit));
    }
    void between(machine::Machine& machine) override {
        if (draw(8) == 0)
            machine.drop_caches();
        if (engines_ == Engines::kBoth)
            machine.set_engine(kEngines[draw(2)]);
    }

  private:
    u64 draw(u64 count) { return random_word(seed_, 0, counter_++) % count; }

    const u64 seed_;
    const Engines engines_;
    u64 counter_ = 0;
};

void run_in_pieces(Guest& guest, Ticks limit, Pieces& pieces) {
    while (guest->ticks() < limit) {
        const Ticks next = std::min(guest->ticks() + pieces.next_piece(), limit);
        if (guest->run(next).stop != machine::Stop::kTick)
            return;
        pieces.between(*guest);
    }
}

TEST_P(GuestTest, EndsAsItsSourceSays) {
    for (const Engine engine : kEngines) {
        SCOPED_TRACE(name_of(engine));
        Guest guest(program_, engine);
        const machine::StopReason reason = guest.run();
        ASSERT_EQ(reason.stop, program_.stop) << machine::description_of(reason) << "\n"
                                              << GetParam().source << ": " << guest.report();
        ASSERT_EQ(reason.exit_code, 0u) << GetParam().source << ": " << guest.report();
        FieldReader state;
        guest->vcpu(0).state.fields(state);
        for (const Program::Expectation& expected : program_.expectations) {
            ASSERT_TRUE(state.values.contains(expected.field))
                << "no such field: " << expected.field;
            EXPECT_EQ(state.values[expected.field], expected.value) << expected.field;
        }
    }
}

TEST_P(GuestTest, IsTheSameHoweverItIsRun) {
    Guest straight(program_, Engine::kInterpreter);
    straight.run();
    const Ticks end = straight->ticks();
    const Digest digest = straight->state_digest();

    for (const Engine engine : kEngines) {
        SCOPED_TRACE(name_of(engine));
        Guest again(program_, engine);
        again.run();
        EXPECT_EQ(again->ticks(), end);
        EXPECT_EQ(again->state_digest(), digest) << "a run differs";

        Guest odd(program_, engine);
        OddPieces pieces;
        run_in_pieces(odd, program_.limit, pieces);
        EXPECT_EQ(odd->ticks(), end);
        EXPECT_EQ(odd->state_digest(), digest) << "a run in odd pieces differs";

        Guest through(program_, engine);
        for (const u64 part : {3, 7, 8}) {
            through->run(Ticks(end.value * part / 9));
            const machine::Checkpoint checkpoint = through->checkpoint();
            through.run();
            EXPECT_EQ(through->state_digest(), digest) << "a run in two parts differs";
            ASSERT_TRUE(through->restore(checkpoint));
        }
        through.run();
        EXPECT_EQ(through->state_digest(), digest) << "a run through checkpoints differs";
    }
}

TEST_P(GuestTest, IsTheSameInRandomPiecesByAnyEngine) {
    Guest straight(program_, Engine::kInterpreter);
    straight.run();
    for (const Engines engines : {Engines::kOne, Engines::kBoth}) {
        for (u64 seed = 0; seed < kRandomRuns; ++seed) {
            SCOPED_TRACE((engines == Engines::kOne ? "one engine, seed " : "both engines, seed ") +
                         std::to_string(seed));
            Guest guest(program_, Engine::kTranslator);
            RandomPieces pieces(seed, engines);
            run_in_pieces(guest, program_.limit, pieces);
            EXPECT_EQ(guest->ticks(), straight->ticks());
            EXPECT_EQ(guest->state_digest(), straight->state_digest());
        }
    }
}

TEST_P(GuestTest, IsTheSameOnAHostThatDiffersInAllThatIsUndefined) {
    Guest canon(program_, Engine::kInterpreter);
    canon.run();
    const auto everything = cpu::jit::HostDifferences::everything();
    Guest pretended(program_, Engine::kTranslator, {.pretended_differences = &everything});
    pretended.run();
    EXPECT_EQ(pretended->ticks(), canon->ticks());
    EXPECT_EQ(pretended->state_digest(), canon->state_digest());
}

TEST_P(GuestTest, IsTheSameWithTranslationsOfEarlierRunsAndLittleRoomForThem) {
    Guest canon(program_, Engine::kInterpreter);
    canon.run();
    constexpr std::size_t kLittleRoom = std::size_t{96} << 10;
    const auto library = std::make_shared<cpu::jit::CodeLibrary>();
    for (const std::size_t room : {cpu::jit::CodeStore::kAreaSize, cpu::jit::CodeStore::kAreaSize,
                                   kLittleRoom, kLittleRoom}) {
        Guest guest(program_, Engine::kTranslator, {.library = library, .code_area_size = room});
        OddPieces pieces;
        run_in_pieces(guest, program_.limit, pieces);
        EXPECT_EQ(guest->ticks(), canon->ticks());
        EXPECT_EQ(guest->state_digest(), canon->state_digest());
    }
    if (cpu::jit::Translator::missing_host_feature() == nullptr) {
        EXPECT_GT(library->counters().pages_added, 0u);
    }
}

INSTANTIATE_TEST_SUITE_P(Programs, GuestTest, testing::ValuesIn(kRows),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace uchronia::guest_tests
