#include "server/runtime/log.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "tests/support/temporary_directory.h"

using namespace postkeep;

namespace {

struct LogFixture {
  test::TemporaryDirectory directory;
  Settings::Log settings;
  std::unique_ptr<Log> log;

  LogFixture() {
    settings.file = directory / "server.log";
    settings.level = LogLevel::info;
    log = Log::open(settings).value();
  }
  std::vector<std::string> lines(const std::string& name = "server.log") {
    std::ifstream file(directory / name);
    std::vector<std::string> found;
    for (std::string line; std::getline(file, line);) found.push_back(line);
    return found;
  }
  // The line without its time, which differs.
  std::string line(std::size_t index) { return lines().at(index).substr(30); }
  void use_json() {
    settings.format = LogFormat::json;
    REQUIRE(log->reopen(settings));
  }
};

}  // namespace

TEST_CASE_FIXTURE(LogFixture, "an event is one line of time, level, event, session, user and its fields") {
  Logger logger(*log, "7f");
  logger.info("connect", {{"address", "192.0.2.1"}, {"port", 143}});
  logger.set_user("alice");
  logger.warn("odd", {{"count", std::uint64_t{5}}, {"ratio", 0.5}, {"tls", true}, {"text", "two words"}});
  Logger(*log).error("bare");
  REQUIRE(lines().size() == 3);
  CHECK(lines()[0].starts_with("time=20"));
  CHECK(lines()[0].substr(28, 2) == "Z ");
  CHECK(line(0) == "level=info event=connect session=7f address=192.0.2.1 port=143");
  CHECK(line(1) == "level=warn event=odd session=7f user=alice count=5 ratio=0.5 tls=true text=\"two words\"");
  CHECK(line(2) == "level=error event=bare");
}

TEST_CASE_FIXTURE(LogFixture, "what a client says can neither begin a line nor another field") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"a\r\nlevel=error event=forged", "\"a\\r\\nlevel=error event=forged\""},
      {"x user=root", "\"x user=root\""},
      {"x=y", "\"x=y\""},
      {"say \"hi\" \\", "\"say \\\"hi\\\" \\\\\""},
      {std::string("nul\0nul", 7), "\"nul\\x00nul\""},
      {"\x1b[31mred", "\"\\x1b[31mred\""},
      {"bad\xFF\xC3", "\"bad\\xff\\xc3\""},
      {"J\xC3\xBCrgen", "\"J\xC3\xBCrgen\""},
      {"line\xE2\x80\xA8sep", "\"line\\u2028sep\""},
      {"rtl\xE2\x80\xAE", "\"rtl\\u202e\""},
      {"c1\xC2\x85", "\"c1\\x85\""},
      {"", "\"\""},
  };
  for (const auto& [value, expected] : table) Logger(*log).info("e", {{"v", value}});
  REQUIRE(lines().size() == table.size());
  for (std::size_t i = 0; i < table.size(); ++i) CHECK(line(i) == "level=info event=e v=" + table[i].second);
}

TEST_CASE_FIXTURE(LogFixture, "a line of JSON parses, whatever bytes were in it") {
  use_json();
  std::string every_octet;
  for (int c = 0; c < 256; ++c) every_octet += static_cast<char>(c);
  Logger logger(*log, "1");
  logger.info("e", {{"bytes", every_octet}, {"number", -3}, {"yes", true}, {"quote", "\"\\\n"}});
  REQUIRE(lines().size() == 1);
  const auto parsed = nlohmann::json::parse(lines()[0]);
  CHECK(parsed["event"] == "e");
  CHECK(parsed["level"] == "info");
  CHECK(parsed["session"] == "1");
  CHECK(parsed["number"] == -3);
  CHECK(parsed["yes"] == true);
  CHECK(parsed["quote"] == "\"\\\n");
  CHECK(parsed["bytes"].get<std::string>().substr(0, 128) == every_octet.substr(0, 128));
}

TEST_CASE_FIXTURE(LogFixture, "a value is cut at some length") {
  Logger(*log).info("e", {{"v", std::string(100'000, 'x')}});
  CHECK(lines().at(0).size() < 3000);
  CHECK(lines().at(0).ends_with("...\""));
}

TEST_CASE_FIXTURE(LogFixture, "a Secret prints as stars") {
  Logger(*log).info("e", {{"password", Secret("hunter2")}});
  CHECK(line(0) == "level=info event=e password=\"***\"");
}

TEST_CASE_FIXTURE(LogFixture, "events below the level are left out, and a reload changes the level") {
  Logger logger(*log);
  CHECK_FALSE(logger.wants(LogLevel::debug));
  logger.debug("hidden");
  settings.level = LogLevel::trace;
  REQUIRE(log->reopen(settings));
  logger.trace("shown");
  settings.level = LogLevel::error;
  REQUIRE(log->reopen(settings));
  logger.warn("hidden");
  REQUIRE(lines().size() == 1);
  CHECK(line(0) == "level=trace event=shown");
}

TEST_CASE_FIXTURE(LogFixture, "after a rotation the file is opened anew and nothing is lost") {
  Logger logger(*log);
  logger.info("before");
  std::filesystem::rename(directory / "server.log", directory / "server.log.1");
  logger.info("between");
  REQUIRE(log->reopen(settings));
  logger.info("after");
  CHECK(lines("server.log.1").size() == 2);
  CHECK(lines().size() == 1);
}

TEST_CASE_FIXTURE(LogFixture, "a file that cannot be opened is told, and the old one stays") {
  Settings::Log other = settings;
  other.file = directory.path();  // a directory
  const Outcome failed = log->reopen(other);
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().kind == ErrorKind::unavailable);
  Logger(*log).info("still");
  CHECK(lines().size() == 1);
  CHECK_FALSE(Log::open(other).has_value());
}

TEST_CASE_FIXTURE(LogFixture, "threads write whole lines, also while the file is reopened") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Logger logger(*log, std::to_string(t));
      for (int i = 0; i < 200; ++i) logger.info("tick", {{"i", i}, {"pad", std::string(100, 'x')}});
    });
  }
  for (int i = 0; i < 20; ++i) REQUIRE(log->reopen(settings));
  for (std::thread& thread : threads) thread.join();
  const auto all = lines();
  CHECK(all.size() == 800);
  for (const std::string& one : all) CHECK((one.starts_with("time=") && one.ends_with("xxx")));
}

TEST_CASE("session ids are never given twice") { CHECK(next_session_id() != next_session_id()); }
