#include "server/status.h"

#include <unistd.h>

#include "server/metrics/process_figures.h"
#include "server/version.h"

namespace postkeep::server {

using Json = nlohmann::json;

Activity activity_of(const Metrics& metrics) {
  Activity all;
  metrics.connections_total.each([&](const auto&, const Counter& value) { all.connections += value.value(); });
  metrics.logins.each([&](const auto& labels, const Counter& value) {
    (labels[2] == "ok" ? all.logins : all.failed_logins) += value.value();
  });
  metrics.deliveries.each([&](const auto& labels, const Counter& value) {
    if (labels[0] == "ok") all.deliveries += value.value();
  });
  metrics.command_seconds.each([&](const auto&, const Histogram& value) { all.commands += value.count(); });
  return all;
}

Json describe_status(const Metrics& metrics, const Activity& recent, std::chrono::system_clock::time_point started) {
  const auto seconds = [](auto time) { return std::chrono::duration_cast<std::chrono::seconds>(time).count(); };
  Json connections = Json::object();
  metrics.connections.each(
      [&](const auto& labels, const Gauge& value) { connections[std::string(labels[0])] = value.value(); });
  Json memory = nullptr, files = nullptr;
  for (const ProcessFigure& figure : process_figures()) {
    if (figure.name == "process_resident_memory_bytes") memory = static_cast<std::uint64_t>(figure.value);
    if (figure.name == "process_open_fds") files = static_cast<std::uint64_t>(figure.value);
  }
  return {{"version", version},
          {"process", getpid()},
          {"started", seconds(started.time_since_epoch())},
          {"uptime", seconds(std::chrono::system_clock::now() - started)},
          {"connections", std::move(connections)},
          {"last_minute",
           {{"connections", recent.connections},
            {"logins", recent.logins},
            {"failed_logins", recent.failed_logins},
            {"deliveries", recent.deliveries},
            {"commands", recent.commands}}},
          {"memory", std::move(memory)},
          {"open_files", std::move(files)},
          {"open_accounts", metrics.open_accounts.value()},
          {"storage_queue", metrics.storage_queue.value()},
          {"auth_queue", metrics.auth_queue.value()}};
}

}  // namespace postkeep::server
