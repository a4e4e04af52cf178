// What the process takes of the machine, under the names that Prometheus clients use everywhere. Read from /proc at
// each call; used by metrics and by `status`. What cannot be read is left out.
#pragma once

#include <string_view>
#include <vector>

namespace postkeep::server {

struct ProcessFigure {
  std::string_view name;  // "process_resident_memory_bytes"
  std::string_view type;  // "gauge" or "counter"
  std::string_view help;
  double value;
};

std::vector<ProcessFigure> process_figures();

}  // namespace postkeep::server
