// Where the parts of a message in memory lie, for who only looks for their text: much quicker than parse_structure().
// Called by storage/search_eval. Defined beside StructureParser, whose rules these are.
#pragma once

#include <optional>
#include <string_view>

#include "protocol/mime/structure.h"

namespace postkeep::mime {

// The tree that parse_structure() makes, but that envelopes are missing and lines are not counted. None: only the whole
// parse can tell, since the strings of the tree may be more than Limits::tree_octets_max.
std::optional<Part> find_places(std::string_view message, const Limits& limits = {});

}  // namespace postkeep::mime
