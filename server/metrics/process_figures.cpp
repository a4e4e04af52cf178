#include "server/metrics/process_figures.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace postkeep::server {
namespace {

// Fields of /proc/self/stat after the program's name, which may hold spaces and brackets (proc(5)).
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream fields(text.substr(end_of_name + 1));
  return {std::istream_iterator<std::string>(fields), std::istream_iterator<std::string>()};
}

// By the number that proc(5) gives the field; the state, the first after the name, is 3.
double field(const std::vector<std::string>& fields, std::size_t number) {
  constexpr std::size_t first = 3;
  return number - first < fields.size() ? std::strtod(fields[number - first].c_str(), nullptr) : 0;
}

double boot_time() {
  timespec real{}, since_boot{};
  ::clock_gettime(CLOCK_REALTIME, &real);
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const auto seconds = [](const timespec& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  };
  return seconds(real) - seconds(since_boot);
}

// The descriptor that reads the folder is one of them, and gone afterwards.
double open_descriptors() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;
}

}  // namespace

std::vector<ProcessFigure> process_figures() {
  const std::vector<std::string> fields = stat_fields();
  if (fields.empty()) return {};
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  rlimit descriptors{};
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  return {
      {"process_cpu_seconds_total", "counter", "Processor time, of the kernel for us too.",
       (field(fields, 14) + field(fields, 15)) / ticks},
      {"process_resident_memory_bytes", "gauge", "Memory in use.", field(fields, 24) * page},
      {"process_virtual_memory_bytes", "gauge", "Address space in use.", field(fields, 23)},
      {"process_open_fds", "gauge", "Descriptors that are open.", open_descriptors()},
      {"process_max_fds", "gauge", "Descriptors that may be open.", static_cast<double>(descriptors.rlim_cur)},
      {"process_threads", "gauge", "Threads.", field(fields, 20)},
      {"process_start_time_seconds", "gauge", "When it started, since 1970.", boot_time() + field(fields, 22) / ticks},
  };
}

}  // namespace postkeep::server
