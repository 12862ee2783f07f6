// Whatever comes from the other side of gdb's protocol: the server ends, and the history is as it
// was.
//
// The first byte of an input says how it is sent, the others are payloads, each to the end of a
// line; they are sent as packets, or as they are.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "base/check.h"
#include "debug/gdb_server.h"
#include "guest/hypercall.h"
#include "machine/flat_guest.h"
#include "tests/fuzz/environment.h"
#include "tests/fuzz/small_image.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

constexpr u64 kMemorySize = u64{2} << 20;
constexpr u64 kMostTicks = 20'000;
constexpr unsigned kSecondsUntilItHangs = 120;

// Flags of the first byte.
constexpr u8 kTranslated = 1, kGoesAway = 2, kAsItIs = 4;

// Adds, reads and writes over page ends, copies, asks for random bytes; three hundred times, and
// then it exits.
// clang-format off
const std::vector<u8> kCode = {
    0xb9, 0x2c, 0x01, 0x00, 0x00,                    //       mov ecx, 300
    0x48, 0xff, 0x04, 0x25, 0x00, 0x00, 0x02, 0x00,  // loop: inc qword [20000h]
    0x8b, 0x04, 0x25, 0xfe, 0x0f, 0x02, 0x00,        //       mov eax, [20ffeh]
    0x89, 0x04, 0x25, 0xfe, 0x1f, 0x02, 0x00,        //       mov [21ffeh], eax
    0xbe, 0x00, 0x00, 0x02, 0x00,                    //       mov esi, 20000h
    0xbf, 0x00, 0x30, 0x02, 0x00,                    //       mov edi, 23000h
    0x51,                                            //       push rcx
    0xb9, 0x10, 0x00, 0x00, 0x00,                    //       mov ecx, 16
    0xf3, 0xa4,                                      //       rep movsb
    0x59,                                            //       pop rcx
    0xb8, UCHRONIA_ENTROPY, 0x00, 0x00, 0x00,        //       mov eax, ENTROPY
    0xbf, 0x00, 0x30, 0x02, 0x00,                    //       mov edi, 23000h
    0xbe, 0x10, 0x00, 0x00, 0x00,                    //       mov esi, 16
    0x0f, 0x04,                                      //       hypercall
    0xf3, 0x90,                                      //       pause
    0xff, 0xc9,                                      //       dec ecx
    0x75, 0xc0,                                      //       jnz loop
    0xb8, UCHRONIA_EXIT, 0x00, 0x00, 0x00,           //       mov eax, EXIT
    0x31, 0xff,                                      //       xor edi, edi
    0x31, 0xf6,                                      //       xor esi, esi
    0x0f, 0x04,                                      //       hypercall
    0xeb, 0xfe,                                      //       jmp $
};
// clang-format on

const machine::BaseImage& guest_image() {
    static const std::unique_ptr<machine::BaseImage> image = [] {
        FixedDecisions decisions;
        machine::FlatGuest guest({.memory_size = kMemorySize, .vcpu_count = 2}, decisions);
        guest.set_code(kCode);
        guest.state_of_boot.gpr[cpu::kRSP] = 0x3'0000;
        guest.machine.set_boot_state(guest.state_of_boot);
        auto opened = open_image(image_of(guest.machine));
        CHECK(opened.ok());
        return std::move(*opened);
    }();
    return *image;
}

std::unique_ptr<history::Timeline> guest_history(machine::Engine engine) {
    history::History history;
    history.base.image = guest_image().digest();
    history.base.memory_size = kMemorySize;
    history.base.vcpu_count = 2;
    history.request.arguments = {"program"};
    history.limits.stop_tick = Ticks(kMostTicks);
    history.tape = history::Tape::from_seed(1);
    auto timeline = history::Timeline::open(guest_image(), history, nullptr,
                                            {.run = {.engine = engine}, .spacing = 1 << 10});
    CHECK(timeline.ok());
    return std::move(*timeline);
}

// In the middle of the history.
Digest digest_of_moment(history::Timeline& timeline) {
    CHECK(timeline.seek(history::Moment::at(Ticks(3333))).ok());
    return timeline.machine().state_digest();
}

// "#400", or the end.
Result<history::Moment> any_moment(const std::string& text) {
    if (text.empty())
        return Error{"there is no moment"};
    return text[0] == '#' ? history::Moment::at(Ticks(std::strtoull(text.c_str() + 1, nullptr, 10)))
                          : history::Moment::end();
}

std::string packet(std::string_view payload) {
    static constexpr char kDigits[] = "0123456789abcdef";
    unsigned sum = 0;
    for (const char c : payload)
        sum += static_cast<u8>(c);
    return "$" + std::string(payload) + "#" + kDigits[sum >> 4 & 15] + kDigits[sum & 15];
}

std::string all_sent(std::string_view payloads, u8 flags) {
    std::string sent;
    while (!payloads.empty()) {
        const std::size_t end = std::min(payloads.find('\n'), payloads.size());
        const std::string_view line = payloads.substr(0, end);
        payloads.remove_prefix(std::min(end + 1, payloads.size()));
        sent += (flags & kAsItIs) != 0 ? std::string(line) : packet(line);
    }
    // Whatever has begun before ends, and then all does.
    return sent + "#00#00" + packet("k");
}

// A client that sends all at once, and takes what comes.
class Client {
  public:
    Client(std::string_view sent, bool goes_away) {
        int ends[2];
        CHECK(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        server_end_ = host::FileDescriptor(ends[0]);
        own_end_ = ends[1];
        const int room = 1 << 20;
        CHECK(sent.size() < room / 4);
        ::setsockopt(own_end_, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        CHECK(::write(own_end_, sent.data(), sent.size()) == static_cast<ssize_t>(sent.size()));
        if (goes_away)
            ::shutdown(own_end_, SHUT_WR);
        reader_ = std::thread([this] {
            char bytes[4096];
            while (::read(own_end_, bytes, sizeof bytes) > 0) {
            }
        });
    }
    // After the server's end is closed.
    ~Client() {
        reader_.join();
        ::close(own_end_);
    }
    host::FileDescriptor take_server_end() { return std::move(server_end_); }

  private:
    host::FileDescriptor server_end_;
    int own_end_ = -1;
    std::thread reader_;
};

}  // namespace

std::vector<std::vector<u8>> seeds() {
    static constexpr const char* kSeeds[] = {
        "qSupported:multiprocess+;swbreak+\nQStartNoAckMode\nHg0\nqfThreadInfo\nqsThreadInfo\n"
        "qC\n?\ng\np10\npffff\nqXfer:features:read:target.xml:0,ffb\nqAttached\nqSymbol::\n"
        "qXfer:threads:read::0,1000\nqXfer:auxv:read::0,1000\nqXfer:exec-file:read:1:0,10\n"
        "qThreadExtraInfo,40000001\nT40000000\nTffff\nvCont?\n",
        "m8000,40\nm20ffe,8\nmfffffffffffffffe,10\nm0,ffffffffffffffff\nM8000,1:00\nG00\nP1=0\n"
        "X8000,1:a\n",
        "Z0,8005,1\nc\nvCont;c\ns\ng\nvCont;s:40000000;c\nvCont;s:40000001\nz0,8005,1\nbs\nbc\nc\n"
        "Z1,8050,1\nZ0,8005,1\nvCont;r8005,8020:40000000\nbc\n",
        "Z2,20000,8\nc\nc\nbc\nz2,20000,8\nZ3,20ffe,4\nc\nbc\nZ4,23000,ffffffffffffffff\nc\nbc\n"
        "Z2,8,0\nZ4,fffffffffffffff0,10\nc\nbc\n",
        "Hg40000001\nHc40000001\ns\nbs\ng\nHc-1\nHgffffffffffffffff\nvCont;r0,ffffffffffffffff\n",
        // monitor when; seek #400; mark a; seek end; marks; seek a; help
        "qRcmd,7768656e\nqRcmd,7365656b2023343030\nqRcmd,6d61726b2061\nqRcmd,7365656b20656e64\n"
        "qRcmd,6d61726b73\nqRcmd,7365656b2061\nqRcmd,68656c70\nqRcmd,6\ns\nbs\n",
        "vFile:setfs:0\nvFile:open:2f75636872\nvFile:open:2f6574632f706173737764,0,0\n"
        "vFile:fstat:1\nvFile:pread:1,100,0\nvFile:close:1\nvFile:close:ffffffff\nvKill;1\n",
        "D\nk\n", "Z0,8005,1\nc\n\x03\nc\n"};
    std::vector<std::vector<u8>> result;
    for (const char* const seed : kSeeds) {
        for (const u8 flags : {u8{0}, kTranslated, kGoesAway, kAsItIs}) {
            const std::string text = flags == kAsItIs ? all_sent(seed, 0) : seed;
            std::vector<u8> bytes{flags};
            bytes.insert(bytes.end(), text.begin(), text.end());
            result.push_back(std::move(bytes));
        }
    }
    return result;
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    using namespace uchronia::fuzz;
    if (size == 0 || size > 10'000)
        return 0;
    const u8 flags = data[0];
    const auto engine =
        (flags & kTranslated) != 0 ? machine::Engine::kTranslator : machine::Engine::kInterpreter;
    static const Digest expected = digest_of_moment(*guest_history(machine::Engine::kInterpreter));
    ::alarm(kSecondsUntilItHangs);
    const auto timeline = guest_history(engine);
    {
        debug::Traveller traveller(*timeline);
        const auto no_files = [](const std::string&) -> Result<std::vector<u8>> {
            return Error{""};
        };
        auto debuggee =
            debug::Debuggee::find(traveller, {.kind = debug::Choice::Kind::kMachine}, no_files);
        CHECK(debuggee.ok());
        debug::GDBServer server(traveller, **debuggee,
                                {.parse = any_moment, .format = [](Ticks tick, VirtualTime time) {
                                     return std::to_string(tick.value) + " " +
                                            std::to_string(time.value);
                                 }});
        const std::string sent =
            all_sent({reinterpret_cast<const char*>(data + 1), size - 1}, flags);
        Client client(sent, (flags & kGoesAway) != 0);
        debug::Connection connection(client.take_server_end());
        static_cast<void>(server.serve(connection));
    }
    CHECK(digest_of_moment(*timeline) == expected);
    ::alarm(0);
    return 0;
}
