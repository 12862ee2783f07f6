#include "cpu/jit/translator.h"

#include <algorithm>

#include "base/check.h"
#include "cpu/access.h"
#include "cpu/jit/frame_layout.h"
#include "cpu/jit/host_features.h"
#include "cpu/jit/host_signals.h"
#include "cpu/jit/measure_host.h"
#include "cpu/jit/perf_map.h"
#include "host/build_id.h"
#include "host/executable_memory.h"

namespace uchronia::cpu::jit {
namespace {

constexpr u64 kBoundary = u64{1} << 47;
constexpr u64 kNearBoundary = u64{1} << 32;  // farther than a relative branch goes
constexpr std::size_t kMostKeys = 1u << 16, kMostHomes = 1u << 20;
constexpr std::size_t kBoundOps = 1u << 14;
constexpr u32 kMasksMXCSR = 0x1f80;
constexpr char kExecutableMemory[] = "memory that can be written and executed";

// The host does not change: once in a process.
const HostDifferences& measured(MMU& mmu, const Binder& binder) {
    static const HostDifferences differences = measure_host(mmu, binder);
    return differences;
}

// Adds the time of its life to a counter, if there is a clock.
class Stopwatch {
  public:
    using Clock = u64 (*)();

    Stopwatch(Clock clock, u64& nanoseconds)
        : clock_(clock), nanoseconds_(nanoseconds), begin_(clock != nullptr ? clock() : 0) {}
    ~Stopwatch() {
        if (clock_ != nullptr)
            nanoseconds_ += clock_() - begin_;
    }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

  private:
    const Clock clock_;
    u64& nanoseconds_;
    const u64 begin_;
};

// Whether a debugger has to see the next instruction.
bool is_for_debugger(const DebugStops& stops, const VCPU& cpu) {
    return (stops.places().user_mode && cpu.state.cpl() == 3) ||
           stops.next_breakpoint(cpu.state.rip) == cpu.state.rip;
}

// Translations hold for this program, and for hosts like this one.
Digest identity_of(const HostDifferences& differences) {
    const std::span<const u8> build = host::build_id();
    if (build.empty())
        return {};
    return sum(digest_of(build), differences.digest());
}

}  // namespace

const char* Translator::missing_host_feature() {
    const char* missing = jit::missing_host_feature();
    if (missing != nullptr)
        return missing;
    u8* memory = host::allocate_executable(kPageSize);
    if (memory == nullptr)
        return kExecutableMemory;
    host::release_executable(memory, kPageSize);
    return nullptr;
}

std::unique_ptr<Translator> Translator::create(MMU& mmu, const Binder& binder, const char*& reason,
                                               const TranslatorOptions& options) {
    reason = jit::missing_host_feature();
    if (reason != nullptr)
        return nullptr;
    std::unique_ptr<Translator> translator(new Translator(mmu, binder, options));
    if (!translator->store_.usable()) {
        reason = kExecutableMemory;
        return nullptr;
    }
    translator->stubs_ = make_stubs(translator->store_, &Translator::on_site);
    mmu.add_code_observer(*translator);
    install_signal_handlers();
    return translator;
}

Translator::Translator(MMU& mmu, const Binder& binder, const TranslatorOptions& options)
    : mmu_(mmu),
      binder_(binder),
      differences_(options.pretended_differences != nullptr ? *options.pretended_differences
                                                            : measured(mmu, binder)),
      perf_map_(options.perf_map),
      clock_(options.clock),
      store_(options.code_area_size),
      heat_(kHeatEntries),
      recent_fetches_(kRecentFetches),
      bound_(kBoundOps) {
    if (options.library != nullptr && options.library->open(identity_of(differences_))) {
        library_ = options.library;
        store_.set_images(CodeStore::Images::kKept);
        hot_ = kHotIfKept;
    }
}

Translator::~Translator() {
    give_to_library();
    write_perf_map();
}

void Translator::add_vcpu(VCPU& cpu) {
    TranslatorFrame& f = cpu.translation;
    f.leave_stub = stubs_.leave;
    f.spill_stub = stubs_.spill;
    f.cross_stubs = stubs_.cross;
    f.lookup_stub = stubs_.lookup;
    f.link_key = 0;  // no table is selected
    TranslatorFarFrame& far = cpu.far_translation;
    far.stack_stub = stubs_.stack;
    far.prepared_keys = {};
    far.present_table = &present_gs_;
    far.system_call_stub = stubs_.system_call;
    far.system_return_stub = stubs_.system_return;
    far.access_stubs = stubs_.access;
    far.time_stub = stubs_.time;
    far.string_stubs = stubs_.strings;
    far.translator = this;
}

// Blocks hold for what their pages contain now: what has changed was dropped.
void Translator::give_to_library() {
    if (library_ == nullptr)
        return;
    for (u64 page_number = 0; page_number < store_.page_count(); ++page_number)
        give_to_library(page_number);
}

void Translator::give_to_library(u64 page_number) {
    std::vector<u8> images = store_.take_images(page_number);
    if (!images.empty() && !broken_pages_.contains(page_number))
        library_->add(digest_of({mmu_.page_bytes(page_number), kPageSize}), std::move(images));
}

// Without names the profile is poorer, and nothing else: a failure is none of the run's.
void Translator::write_perf_map() const {
    if (perf_map_)
        (void)append_perf_map(store_);
}

// Installs what is known of a page with these contents.
void Translator::look_up_page(const VCPU& cpu, u64 page_number, const u8* bytes) {
    if (library_ == nullptr || store_.is_looked_up(page_number) ||
        broken_pages_.contains(page_number))
        return;
    const Stopwatch watch(clock_, counters_.installation_time);
    store_.set_looked_up(page_number);
    u64 lines = 0;
    for (const CodeLibrary::Piece& piece : library_->find(digest_of({bytes, kPageSize})))
        lines |= store_.install(page_number, cpu.state.rip & ~kPageMask, piece.images);
    if (lines != 0)
        mmu_.mark_code(page_number, lines);
}

void Translator::drop_caches() {
    give_to_library();
    write_perf_map();
    store_.drop_all();
    jumps_.clear();
    std::fill(bound_.begin(), bound_.end(), BoundOp{});
    homes_.clear();
}

void Translator::code_changed(u64 page_number) {
    store_.drop_page(page_number, frame::kLeaveStub);
}

u32 Translator::mode_of(const VCPU& cpu) {
    const CPUState& s = cpu.state;
    const bool tasks = (s.cr0 & (cr0::kEM | cr0::kTS)) == 0;
    const bool masked = (s.mxcsr & kMasksMXCSR) == kMasksMXCSR;
    u32 mode = 0;
    if (tasks && masked && (s.cr4 & cr4::kOSFXSR) != 0)
        mode |= mode_bit::kSSE;
    if ((s.cr0 & cr0::kTS) == 0 && masked && (s.cr4 & cr4::kOSXSAVE) != 0 && (s.xcr0 & 6) == 6)
        mode |= mode_bit::kAVX;
    if (cpu.platform.cpu_model() >= CPUModel::kV3)
        mode |= mode_bit::kV3;
    if (s.cpl() == 0)
        mode |= mode_bit::kKernel;
    if (s.rip + kNearBoundary - kBoundary < 2 * kNearBoundary ||
        s.rip + kNearBoundary + kBoundary < 2 * kNearBoundary)
        mode |= mode_bit::kBoundary;
    return mode;
}

u32 Translator::number_of_key(u64 fetch_key, u32 mode) {
    RecentKey& recent = recent_keys_[(mode & mode_bit::kKernel) != 0 ? 1 : 0];
    if (recent.number == 0 || recent.fetch_key != fetch_key || recent.mode != mode)
        recent = {fetch_key, mode, find_number_of_key(fetch_key, mode)};
    return recent.number;
}

u32 Translator::find_number_of_key(u64 fetch_key, u32 mode) {
    KeyNumbers& numbers = key_numbers_[mode];
    const auto found = numbers.find(fetch_key);
    if (found != numbers.end())
        return found->second;
    if (numbers.size() > kMostKeys || homes_.size() > kMostHomes) {
        // Links are made under numbers whose homes are known: numbers begin anew with the homes.
        begin_key_numbers();
        homes_.clear();
    }
    if (++last_key_number_ == 0) {
        // The numbers begin again: nothing may be left that was made under an old one.
        begin_key_numbers();
        drop_caches();
        last_key_number_ = 1;
    }
    key_numbers_[mode][fetch_key] = last_key_number_;
    return last_key_number_;
}

void Translator::begin_key_numbers() {
    key_numbers_ = {};
    recent_keys_ = {};
    ++key_beginnings_;
}

// The table that GS points to while code at RIP runs.
u64 Translator::table_of(const VCPU& cpu) {
    const bool user = cpu.state.cpl() == 3;
    const TableEntry* both = cpu.views[VCPU::kKernelViewWithAC].both;
    if (!user && (cpu.state.system_flags & rflags::kAC) != 0)
        return reinterpret_cast<u64>(both != nullptr ? both : cpu.tables[0]);
    const bool user_view = user || cpu.state.rip >> 63 == 0;
    return reinterpret_cast<u64>(user_view ? cpu.tables[0] : cpu.tables[1] - kTableEntryCount);
}

// Makes what translated code finds in its frame right for the present address space and RIP.
void Translator::select(VCPU& cpu) {
    TranslatorFrame& f = cpu.translation;
    f.mode = mode_of(cpu);
    const u32 key = number_of_key(cpu.fetch_keys[cpu.state.rip >> 63], f.mode);
    TranslatorFarFrame& far = cpu.far_translation;
    if (far.key_beginnings != key_beginnings_) {
        far.key_beginnings = key_beginnings_;
        far.prepared_keys = {};
    }
    if (key != f.link_key || far.table_takeovers != jumps_.takeovers()) {
        f.jumps = jumps_.select(key);
        if (far.table_takeovers != jumps_.takeovers()) {
            // They may lead to what is another key's table now.
            far.table_takeovers = jumps_.takeovers();
            far.prepared_keys = {};
        }
    }
    jumps_.note_use(f.jumps);
    f.link_key = key;
    far.prepared_keys[(f.mode & mode_bit::kKernel) != 0 ? 1 : 0] = {
        cpu.fetch_keys[cpu.state.rip >> 63], f.jumps, f.mode, key};
    const u64 base = table_of(cpu);
    if (base != present_gs_) {
        present_gs_ = base;
        set_gs_base(base);
    }
}

TranslatedCode::Result Translator::run(VCPU& cpu) {
    present_gs_ = gs_base();
    const u8* code = resolve(cpu);
    if (code == nullptr)
        return Result::kInterpret;
    ++counters_.entries;
    check_stack_page(cpu);
    result_ = Result::kInterpret;
    const RunningTranslator running(*this);
    stubs_.enter(&cpu, code);
    return result_;
}

// The code for RIP, with everything set up for it, or null.
const u8* Translator::resolve(VCPU& cpu) {
    if (code_mode(cpu.state) != CodeMode::k64)
        return nullptr;
    const u64 rip = cpu.state.rip;
    select(cpu);
    TranslatorFrame& f = cpu.translation;
    if (stops_ != nullptr && is_for_debugger(*stops_, cpu)) [[unlikely]]
        return nullptr;
    const JumpEntry& entry = f.jumps[JumpTables::index_of(rip)];
    cpu.state.gpr[kPageBaseSlot] = rip & ~kPageMask;
    if (entry.rip == rip)
        return static_cast<const u8*>(entry.code);
    u8& heat = heat_[(rip ^ rip >> 16) & (kHeatEntries - 1)];
    const bool cold = heat < hot_;
    if (cold && (heat++ != 0 || library_ == nullptr))
        return nullptr;
    const TranslatedBlock* block =
        block_at(cpu, cold ? IfMissing::kNothing : IfMissing::kTranslate);
    if (block == nullptr)
        return nullptr;
    jumps_.add(f.jumps, {rip, block->indirect}, block->number);
    return block->indirect;
}

void Translator::set_debug_stops(const DebugStops* stops) {
    stops_ = stops;
    ++stops_changes_;
}

// Makes a page's blocks end before the breakpoints that it has at the address of RIP. Whether there
// is one at RIP, or was one when it was executed at another address.
bool Translator::has_breakpoint(u64 rip, u64 page_number) {
    if (stops_ == nullptr)
        return false;
    const bool has_any = stops_->looks_at_code(rip, /*user=*/false);
    if (!has_any && !broken_pages_.contains(page_number))
        return false;
    BrokenPage& page = broken_pages_[page_number];
    std::vector<u16> offsets;
    u64 address = stops_->next_breakpoint(rip & ~kPageMask);
    for (; address != ~u64{0}; address = stops_->next_breakpoint(address + 1)) {
        offsets.push_back(static_cast<u16>(address & kPageMask));
        if ((address & kPageMask) == kPageMask)
            break;
    }
    if (page.stops_changes != stops_changes_)
        page.offsets.clear();
    bool is_known = page.stops_changes == stops_changes_;
    for (const u16 offset : offsets) {
        if (std::find(page.offsets.begin(), page.offsets.end(), offset) != page.offsets.end())
            continue;
        page.offsets.push_back(offset);
        is_known = false;
    }
    page.stops_changes = stops_changes_;
    if (!is_known)
        store_.drop_page(page_number, frame::kLeaveStub);
    const u16 here = static_cast<u16>(rip & kPageMask);
    return std::find(page.offsets.begin(), page.offsets.end(), here) != page.offsets.end();
}

// Links between pages are relative: they hold for one address of the page that they lead out of. A
// page that is executed at two addresses of one address space loses its links, and gets no others.
void Translator::note_home(const VCPU& cpu, u64 page_number) {
    const u64 base = cpu.state.rip & ~kPageMask;
    const auto [home, added] =
        homes_.try_emplace(page_number << 32 | cpu.translation.link_key, base);
    if (added || home->second == base || home->second == kSeveralHomes)
        return;
    home->second = kSeveralHomes;
    give_to_library(page_number);
    store_.drop_page(page_number, frame::kLeaveStub);
}

bool Translator::has_one_home(const VCPU& cpu, u64 page_number) const {
    const auto home = homes_.find(page_number << 32 | cpu.translation.link_key);
    return home != homes_.end() && home->second != kSeveralHomes;
}

// The block at RIP; null if it is not for the translator, or not to be translated now.
TranslatedBlock* Translator::block_at(VCPU& cpu, IfMissing if_missing) {
    const u64 rip = cpu.state.rip;
    const u16 offset = static_cast<u16>(rip & kPageMask);
    RecentFetch& recent = recent_fetches_[(rip >> kPageBits) % kRecentFetches];
    if (recent.page == rip >> kPageBits && recent.key == cpu.translation.link_key &&
        recent.generation == store_.generation_of(recent.page_number)) {
        TranslatedBlock* block = store_.find(recent.page_number, offset, cpu.translation.mode);
        if (block != nullptr)
            return block;
    }
    const FetchedPage page = mmu_.fetch(cpu, rip);
    if (!page.ok || page.bytes == nullptr || !page.cacheable)
        return nullptr;
    select(cpu);  // a fetch may have made a table
    if (has_breakpoint(rip, page.page_number))
        return nullptr;
    look_up_page(cpu, page.page_number, page.bytes);
    note_home(cpu, page.page_number);
    const u32 mode = cpu.translation.mode;
    TranslatedBlock* block = store_.find(page.page_number, offset, mode);
    if (block != nullptr) {
        recent = {rip >> kPageBits, cpu.translation.link_key, page.page_number,
                  store_.generation_of(page.page_number)};
        return block;
    }
    if (if_missing == IfMissing::kNothing)
        return nullptr;
    if (!store_.has_room())
        drop_caches();
    block = translate({page.page_number, page.bytes}, rip, mode);
    if (block == nullptr && offset > kPageSize - kLongestInstruction)
        return crossing_block_at(cpu, page);
    return block;
}

// The block at an address in a page, made anew; null if it is not for the translator.
TranslatedBlock* Translator::translate(const SourcePage& page, u64 address, u32 mode) {
    const Stopwatch watch(clock_, counters_.translation_time);
    u64 lines = 0;
    BlockTranslator translator(store_, differences_, page, mode);
    if (const auto broken = broken_pages_.find(page.number); broken != broken_pages_.end())
        translator.set_ends(broken->second.offsets);
    TranslatedBlock* block = translator.translate(static_cast<u16>(address & kPageMask), lines);
    if (block == nullptr)
        return nullptr;
    block->address = address;
    mmu_.mark_code(page.number, lines);
    return block;
}

// The same for an instruction that may end in the next page.
TranslatedBlock* Translator::crossing_block_at(VCPU& cpu, const FetchedPage& page) {
    const u64 rip = cpu.state.rip;
    const u16 offset = static_cast<u16>(rip & kPageMask);
    const u64 next_address = (rip | kPageMask) + 1;
    Decoded decoded;
    const DecodeStatus status =
        decode({page.bytes + offset, kPageSize - offset}, CodeMode::k64, offset, decoded);
    if (status != DecodeStatus::kNeedsMore || next_address >> 63 != rip >> 63)
        return nullptr;
    const FetchedPage next = mmu_.fetch(cpu, next_address);
    if (!next.ok || next.bytes == nullptr || !next.cacheable)
        return nullptr;
    select(cpu);
    const u32 mode = cpu.translation.mode;
    TranslatedBlock* block = store_.find_crossing(page.page_number, next.page_number, offset, mode);
    if (block != nullptr)
        return block;
    const Stopwatch watch(clock_, counters_.translation_time);
    u64 lines = 0;
    block = BlockTranslator(store_, differences_, {page.page_number, page.bytes}, mode)
                .translate_crossing(offset, {next.page_number, next.bytes}, lines);
    if (block == nullptr)
        return nullptr;
    mmu_.mark_code(page.page_number, lines);
    mmu_.mark_code(next.page_number, 1);
    return block;
}

u64 Translator::on_site(VCPU* cpu, u64 site) {
    Translator& self = *static_cast<Translator*>(cpu->far_translation.translator);
    const Site& place = self.store_.site(static_cast<u32>(site));
    const Stopwatch watch(self.clock_, self.counters_.site_time[static_cast<unsigned>(place.kind)]);
    return self.follow(*cpu, place);
}

u64 Translator::follow(VCPU& cpu, Site site) {
    ++counters_.sites[static_cast<unsigned>(site.kind)];
    CPUState& state = cpu.state;
    const u64 page_base = state.gpr[kPageBaseSlot];
    switch (site.kind) {
        case SiteKind::kHead:
            cpu.budget += store_.block(site.block).count;
            state.rip = page_base + site.offset;
            return leave(cpu.budget > 0 ? Result::kInterpret : Result::kAgain);
        case SiteKind::kSlow:
            return run_slow(cpu, site);
        case SiteKind::kEnd:
            return run_end(cpu, site);
        case SiteKind::kLink:
            state.rip = page_base + static_cast<u64>(i64{site.target});
            return go_on(cpu);
        case SiteKind::kCross:
            return follow_cross(cpu, site);
        case SiteKind::kIndirect:
            return follow_indirect(cpu, site);
        case SiteKind::kStale:
            state.rip = page_base + site.offset;
            jumps_.forget(cpu.translation.jumps, state.rip);
            return go_on(cpu);
        case SiteKind::kVerify:
            verify(cpu, site);
            return reinterpret_cast<u64>(store_.hot() + site.resume);
        case SiteKind::kTwin:
            return follow_twin(cpu, site);
    }
    CHECK(false);
}

// The interpreter's Op for the instruction of a site.
const Op* Translator::op_of(const Site& site) {
    const u64 key = u64{site.block} << 8 | site.index;
    BoundOp& bound = bound_[(key ^ key >> 14) % kBoundOps];
    if (bound.key != key) {
        const TranslatedBlock& block = store_.block(site.block);
        const u8* page = mmu_.page_bytes(block.page_number);
        std::span<const u8> bytes(page + site.offset, kPageSize - site.offset);
        CrossingBytes crossing;
        if (block.next_page_number != kNoPage) {
            crossing = CrossingBytes(page, site.offset, mmu_.page_bytes(block.next_page_number));
            bytes = crossing.bytes;
        }
        Decoded decoded;
        const DecodeStatus status = decode(bytes, CodeMode::k64, site.offset, decoded);
        CHECK(status == DecodeStatus::kDone);
        bound.key = key;
        bound.ops[0] = binder_.bind(decoded);
        bound.ops[1] = binder_.end_of_block(static_cast<u16>(site.offset + decoded.op.length));
    }
    return bound.ops.data();
}

// Executes one instruction by its interpreter function. False: cpu.exit says what happened, and
// the ticks of what follows it in its block are given back.
bool Translator::run_op(VCPU& cpu, const Site& site) {
    ++counters_.helper_calls;
    const Op* op = op_of(site);
    ++counters_.by_instruction[op->id];
    op->handler(cpu, op);
    if (cpu.exit == Exit::kNone) [[likely]]
        return true;
    cpu.budget += store_.block(site.block).count - site.index - 1;
    return false;
}

u64 Translator::run_slow(VCPU& cpu, const Site& site) {
    cpu.alone = false;
    if (!run_op(cpu, site))
        return leave(Result::kExit);
    // RIP is behind the instruction. It may have changed the mode, or made or replaced a table.
    if (mode_of(cpu) != cpu.translation.mode || table_of(cpu) != present_gs_ ||
        !check_stack_page(cpu)) [[unlikely]] {
        cpu.budget += store_.block(site.block).count - site.index - 1;
        return leave(Result::kAgain);
    }
    return reinterpret_cast<u64>(store_.hot() + site.resume);
}

u64 Translator::run_end(VCPU& cpu, const Site& site) {
    cpu.alone = store_.block(site.block).alone;
    const bool done = run_op(cpu, site);
    cpu.alone = false;
    return done ? go_on(cpu) : leave(Result::kExit);
}

// On to the instruction at RIP, in translated code if possible.
u64 Translator::go_on(VCPU& cpu) {
    // The shadow of STI and MOV SS ends when the next instruction begins. As nothing waits to be
    // delivered, and that instruction will not be stopped before, it can end now.
    if (!cpu.attention && cpu.budget > 0)
        cpu.state.interrupt_shadow = cpu.state.interrupt_shadow && has_traps(cpu.state);
    if (cpu.attention || cpu.budget <= 0 || needs_stepping(cpu.state))
        return leave(Result::kAgain);
    const u8* code = resolve(cpu);
    check_stack_page(cpu);
    return code == nullptr ? leave(Result::kInterpret) : reinterpret_cast<u64>(code);
}

// What translated code finds for an address; nothing if that is in the half that GS does not name.
const TableEntry& Translator::present_entry(u64 address) const {
    constexpr u64 kBothHalves = 2 * kTableEntryCount - 1;
    const auto* table = reinterpret_cast<const TableEntry*>(present_gs_);
    return table[(address >> kPageBits) & kBothHalves];
}

// Builds that check walks: that a fetch would lead to this block, and what an access to the address
// in `value`, or to the stack, would use.
void Translator::verify(const VCPU& cpu, const Site& site) {
    const TranslatorFrame& f = cpu.translation;
    const u64 start = cpu.state.gpr[kPageBaseSlot] + site.offset;
    CHECK(mmu_.probe_page(cpu, start) == mmu_.page_bytes(store_.block(site.block).page_number));
    CHECK(gs_base() == present_gs_ && table_of(cpu) == present_gs_);
    mmu_.verify_entry(cpu, f.value, present_entry(f.value));
    if (f.stack_page == kNoStackPage)
        return;
    const TableEntry& entry = present_entry(f.stack_page);
    CHECK(entry.write != 0 && entry.write == f.stack_addend);
    mmu_.verify_entry(cpu, f.stack_page, entry);
}

// Forgets the stack's page if its entry has changed: false. To be called before translated code
// goes on.
bool Translator::check_stack_page(VCPU& cpu) const {
    TranslatorFrame& f = cpu.translation;
    if (f.stack_page == kNoStackPage)
        return true;
    if (present_entry(f.stack_page).write == f.stack_addend)
        return true;
    f.stack_page = kNoStackPage;
    f.stack_addend = 0;
    return false;
}

// Accesses that a block checks together are not in one page of plain memory. The first few times
// that may be for want of an entry, which the interpreter makes; then the plain twin, which begins
// at the site's instruction, does the rest of the block for ever.
u64 Translator::follow_twin(VCPU& cpu, const Site& site) {
    constexpr u8 kMostFailures = 4;
    cpu.state.rip = cpu.state.gpr[kPageBaseSlot] + site.offset;
    TranslatedBlock& block = store_.block(site.block);
    if (block.joint_failures < kMostFailures || block.next_page_number != kNoPage) {
        if (block.joint_failures < kMostFailures)
            ++block.joint_failures;
        return leave(Result::kInterpret);
    }
    const u32 mode = block.mode | mode_bit::kPlain;
    const TranslatedBlock* twin = store_.find(block.page_number, site.offset, mode);
    if (twin == nullptr) {
        if (!store_.has_room())
            return leave(Result::kInterpret);
        twin =
            translate({block.page_number, mmu_.page_bytes(block.page_number)}, cpu.state.rip, mode);
        CHECK(twin != nullptr);
    }
    Assembler(store_.cold() + site.resume).jump(twin->indirect);
    check_stack_page(cpu);
    return reinterpret_cast<u64>(twin->indirect);
}

// A branch to an address that is not canonical faults before it happens: the interpreter does it.
u64 Translator::undo_branch(VCPU& cpu, const Site& site) {
    cpu.budget += 1;
    cpu.state.rip = cpu.state.gpr[kPageBaseSlot] + site.offset;
    return leave(Result::kInterpret);
}

u64 Translator::follow_indirect(VCPU& cpu, const Site& site) {
    const u64 target = cpu.translation.value;
    if (!is_canonical(target)) {
        cpu.state.gpr[kRSP] -= static_cast<u64>(i64{site.target});
        return undo_branch(cpu, site);
    }
    cpu.state.rip = target;
    return go_on(cpu);
}

u64 Translator::follow_cross(VCPU& cpu, const Site& site) {
    cpu.state.rip = cpu.state.gpr[kPageBaseSlot] + (static_cast<u64>(i64{site.target}) & kPageMask);
    const u32 source = site.block;
    const u64 flushes = store_.counters.flushes;
    const u64 code = go_on(cpu);
    if (code == 0 || store_.counters.flushes != flushes || !store_.block(source).live)
        return code;
    // The address was found under this key: link, if it can be kept.
    const JumpEntry& entry = cpu.translation.jumps[JumpTables::index_of(cpu.state.rip)];
    if (reinterpret_cast<u64>(entry.code) != code ||
        !has_one_home(cpu, store_.block(source).page_number))
        return code;
    u8* key = store_.hot() + site.resume;
    const u32 number = static_cast<u32>(cpu.translation.link_key);
    std::memcpy(key, &number, sizeof number);
    u8* jump = key + CrossLink::kJumpBehindKey;
    if (target_of_rel32(jump) == entry.code)
        return code;  // linked before, under another key
    patch_rel32(jump, entry.code);
    const u32 block = jumps_.block_at(cpu.translation.jumps, cpu.state.rip);
    store_.block(block).incoming.push_back(key);
    return code;
}

}  // namespace uchronia::cpu::jit
