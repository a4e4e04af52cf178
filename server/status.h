// What `status` tells of a running server, from the metrics. Used by the App.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>

#include "server/metrics/metrics.h"
#include "server/runtime/recent_rates.h"

namespace postkeep::server {

// All of it since the start.
Activity activity_of(const Metrics& metrics);

// `recent`: of the last minute.
nlohmann::json describe_status(const Metrics& metrics, const Activity& recent,
                               std::chrono::system_clock::time_point started);

}  // namespace postkeep::server
