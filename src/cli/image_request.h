// How a command is started in an image: by its configuration, as container engines do it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/manifest.h"
#include "machine/run_request.h"

namespace uchronia::cli {

// Fills in arguments, environment, working directory and user. `entrypoint` (if there is one) takes
// the place of the image's own. `read` gives a small file of the image, or nothing.
Status request_of_image(const image::Configuration& configuration,
                        const std::vector<std::string>& command,
                        const std::optional<std::string>& entrypoint,
                        const std::function<std::optional<std::string>(const std::string&)>& read,
                        machine::RunRequest& request);

}  // namespace uchronia::cli
