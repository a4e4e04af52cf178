// Text for a terminal: how wide it is there, and without what could move its cursor or hide something. Unicode
// Annex 11 (East Asian width). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postkeep::text {

// Columns that `utf8` takes: 2 for wide characters, 0 for combining and invisible ones, 1 for others.
std::size_t display_width(std::string_view utf8);

// Fit to be shown: tabs and line ends as one space, other control characters and marks that turn the direction of
// writing as U+FFFD; ill-formed input is repaired first.
std::string displayable(std::string_view bytes);

// The longest beginning of well-formed `utf8` that takes at most `columns`; if something is cut off, the last of the
// columns is "…". Columns: at least 1.
std::string cut_to_width(std::string_view utf8, std::size_t columns);

}  // namespace postkeep::text
