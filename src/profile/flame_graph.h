// A profile as a flame graph: one self-contained SVG picture, in which the width of a box is the
// share of ticks in a function and in what it called. The mouse tells the details.
#pragma once

#include <string>

#include "profile/profile.h"

namespace uchronia::profile {

// `title` is shown above the picture.
std::string flame_graph(const Profile& profile, const std::string& title);

}  // namespace uchronia::profile
