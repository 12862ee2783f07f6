#include "profile/flame_graph.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/hash.h"

namespace uchronia::profile {
namespace {

constexpr double kWidth = 1200, kMargin = 10, kRowHeight = 17, kTop = 44, kLetterWidth = 6.6;
// Narrower boxes are left out: nobody sees them, and the file stays small.
constexpr double kNarrowest = 0.25;

struct Node {
    u64 samples = 0;
    Mode mode = Mode::kUser;
    std::string object;
    std::map<std::string, Node> inner;  // by what is written on them
};

// Text for XML, in which control characters have no place. What is not ASCII could be cut in
// the middle of a letter, or be no UTF-8 at all.
std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '&')
            result += "&amp;";
        else if (c == '<')
            result += "&lt;";
        else if (c == '>')
            result += "&gt;";
        else if (c == '"')
            result += "&quot;";
        else
            result += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e
                          ? '?'
                          : c;
    }
    return result;
}

template <class... Values>
std::string format(const char* pattern, Values... values) {
    char text[256];
    std::snprintf(text, sizeof text, pattern, values...);
    return text;
}

std::string with_commas(u64 number) {
    std::string text = std::to_string(number);
    for (std::size_t i = text.size(); i > 3; i -= 3)
        text.insert(i - 3, ",");
    return text;
}

Node tree_of(const Profile& profile) {
    Node root;
    for (const auto& [stack, samples] : profile.stacks()) {
        root.samples += samples;
        Node* node = &root.inner[stack.process];
        node->samples += samples;
        for (const Profile::FrameId id : stack.frames) {
            const Frame& frame = profile.frame(id);
            node = &node->inner[label_of(frame)];
            node->samples += samples;
            node->mode = frame.mode;
            node->object = frame.object;
        }
    }
    return root;
}

// Nodes that are wide enough to be seen have levels below them; `depth` 0 is the whole.
unsigned depth_of(const Node& node, double scale) {
    unsigned deepest = 0;
    for (const auto& [name, inner] : node.inner) {
        if (static_cast<double>(inner.samples) * scale >= kNarrowest)
            deepest = std::max(deepest, depth_of(inner, scale));
    }
    return deepest + 1;
}

class Drawing {
  public:
    Drawing(const Profile& profile, double height)
        : profile_(profile),
          scale_(profile.sample_count() == 0
                     ? 0
                     : (kWidth - 2 * kMargin) / static_cast<double>(profile.sample_count())),
          bottom_(height - kMargin) {}

    void draw(const std::string& name, const Node& node, double left, unsigned level) {
        const double width = static_cast<double>(node.samples) * scale_;
        if (width < kNarrowest)
            return;
        const double top = bottom_ - (level + 1) * kRowHeight;
        svg_ += "<g><title>" + escaped(name) +
                (node.object.empty() ? "" : " in " + escaped(node.object)) + ", " +
                with_commas(node.samples * profile_.interval_ticks()) + " ticks, " +
                format("%.2f %%", share(node)) + "</title>";
        svg_ += format(R"(<rect x="%.2f" y="%.1f" width="%.2f" height="%.1f" fill="%s"/>)", left,
                       top, width, kRowHeight - 1, colour_of(name, node, level).c_str());
        const std::size_t letters = static_cast<std::size_t>(std::max(0.0, width / kLetterWidth));
        if (letters >= 3) {
            const std::string shown =
                name.size() <= letters ? name : name.substr(0, letters - 2) + "..";
            svg_ += format(R"(<text x="%.2f" y="%.1f">)", left + 3, top + kRowHeight - 5) +
                    escaped(shown) + "</text>";
        }
        svg_ += "</g>\n";
        for (const auto& [inner_name, inner] : node.inner) {
            draw(inner_name, inner, left, level + 1);
            left += static_cast<double>(inner.samples) * scale_;
        }
    }

    const std::string& svg() const { return svg_; }

  private:
    double share(const Node& node) const {
        return 100.0 * static_cast<double>(node.samples) /
               static_cast<double>(std::max<u64>(1, profile_.sample_count()));
    }

    // Programs are warm, the kernel is cold, processes are grey; names differ a little.
    static std::string colour_of(const std::string& name, const Node& node, unsigned level) {
        if (level < 2)
            return level == 0 ? "#d8d8d8" : "#c4c8cc";
        const Digest digest = digest_of({reinterpret_cast<const u8*>(name.data()), name.size()});
        const unsigned a = static_cast<unsigned>(digest.low % 48);
        const unsigned b = static_cast<unsigned>(digest.low / 48 % 64);
        if (node.mode == Mode::kKernel)
            return format("#%02x%02x%02x", 110 + a, 160 + b / 2, 225);
        return format("#%02x%02x%02x", 235, 140 + b, 80 + a);
    }

    const Profile& profile_;
    const double scale_;
    const double bottom_;
    std::string svg_;
};

}  // namespace

std::string flame_graph(const Profile& profile, const std::string& title) {
    const Node root = tree_of(profile);
    const double scale =
        (kWidth - 2 * kMargin) / static_cast<double>(std::max<u64>(1, profile.sample_count()));
    const double height = kTop + kMargin + depth_of(root, scale) * kRowHeight;
    Drawing drawing(profile, height);
    drawing.draw("all", root, kMargin, 0);
    std::string svg = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    svg += format(R"(<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" )"
                  R"(viewBox="0 0 %.0f %.0f">)",
                  kWidth, height, kWidth, height);
    svg +=
        "\n<style>text{font:11px ui-monospace,Menlo,Consolas,monospace;fill:#111;"
        "pointer-events:none}g:hover rect{stroke:#111;stroke-width:1}</style>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fcfcfa\"/>\n";
    svg += format(R"(<text x="%.0f" y="18" style="font-size:14px">)", kMargin) + escaped(title) +
           "</text>\n";
    svg += format(R"(<text x="%.0f" y="34">)", kMargin) + with_commas(profile.sample_count()) +
           " samples, one each " + with_commas(profile.interval_ticks()) + " ticks</text>\n";
    return svg + drawing.svg() + "</svg>\n";
}

}  // namespace uchronia::profile
