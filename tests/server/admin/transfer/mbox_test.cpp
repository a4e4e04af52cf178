#include "server/admin/transfer/mbox.h"

#include <doctest/doctest.h>

#include <fstream>
#include <vector>

#include "tests/support/temporary_directory.h"

using namespace postkeep;
using namespace postkeep::admin;

namespace {

struct Read {
  MboxMessage message;
  std::string text;
};

struct MboxFixture {
  test::TemporaryDirectory directory;
  std::string path = directory / "file.mbox";

  void write(const std::string& content) { std::ofstream(path, std::ios::binary | std::ios::trunc) << content; }

  std::vector<Read> read(const std::string& content) {
    write(content);
    MboxReader reader = MboxReader::open(path).value();
    std::vector<Read> all;
    for (;;) {
      std::string text;
      const auto sink = [&](std::string_view octets) {
        text += octets;
        return Outcome();
      };
      const auto message = reader.next(sink).value();
      if (!message) break;
      all.push_back({*message, text});
      text.clear();
      REQUIRE(reader.read(*message, sink).has_value());
      CHECK(text == all.back().text);  // the second time it is the same
    }
    return all;
  }
};

std::string written(std::string_view message, std::size_t step, Flags flags = {}) {
  std::string file;
  MboxWriter writer([&](std::string_view octets) {
    file += octets;
    return Outcome();
  });
  REQUIRE(writer.begin("a@b", UnixTime{1700000000}, flags).has_value());
  for (std::size_t at = 0; at < message.size(); at += step) REQUIRE(writer.write(message.substr(at, step)).has_value());
  REQUIRE(writer.end().has_value());
  return file;
}

}  // namespace

TEST_CASE("a line that begins a message has a sender and a date, whose forms differ") {
  const std::int64_t when = 1795714402;  // 2026-11-26 17:33:22 UTC
  for (const char* line : {"From a@b Thu Nov 26 17:33:22 2026", "From a@b Thu Nov 26 17:33:22 2026\r\n",
                           "From - Thu Nov 26 17:33:22 2026", "From a at b.c  Thu Nov 26 17:33:22 2026",
                           "From a@b Thu Nov 26 17:33:22 MET 2026", "From a@b Thu Nov 26 17:33:22 2026 +0100"}) {
    CAPTURE(line);
    REQUIRE(parse_from_line(line).has_value());
    CHECK(parse_from_line(line)->date.value().seconds == when);
  }
  CHECK(parse_from_line("From a@b Sun Jan  5 17:33 1997")->date.has_value());
  for (const char* line : {"From -", "From - \n", "From 184@xxx\n", "From \n"})
    CHECK_FALSE(parse_from_line(line)->date.has_value());
  for (const char* line : {"", "From", "From Russia with love", "from a@b Thu Nov 26 17:33:22 2026", "From: a@b",
                           ">From a@b Thu Nov 26 17:33:22 2026", "From 17:33:22"}) {
    CHECK_FALSE(parse_from_line(line).has_value());
  }
}

TEST_CASE_FIXTURE(MboxFixture, "messages are cut at From lines after an empty line, and that line is not theirs") {
  const auto all = read(
      "From a@b Thu Nov 26 17:33:22 2026\nSubject: a\n\nbody\nFrom here on it goes on 11:11\n\nFrom Russia with "
      "love\n\n\n"
      "From - Thu Nov 26 17:33:23 2026\nSubject: b\n\n\nFrom c@d Thu Nov 26 17:33:24 2026\r\nSubject: c\r\n\r\nx");
  REQUIRE(all.size() == 3);
  CHECK(all[0].text == "Subject: a\n\nbody\nFrom here on it goes on 11:11\n\nFrom Russia with love\n\n");
  CHECK(all[1].text == "Subject: b\n\n");
  CHECK(all[1].message.date->seconds == 1795714403);
  CHECK(all[2].text == "Subject: c\r\n\r\nx");
}

TEST_CASE_FIXTURE(MboxFixture, "one mark of quoting is taken off, whatever the depth") {
  const auto all = read("From - \nSubject: a\n\n>From x\n>>From y\n> From z\n >From w\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].text == "Subject: a\n\nFrom x\n>From y\n> From z\n >From w\n");
}

TEST_CASE_FIXTURE(MboxFixture, "the file's notes of flags become flags and leave the message") {
  const auto all = read(
      "From - \nStatus: RO\nSubject: a\nX-Status: AF\nX-Keywords: $Label1\n  Work\nX-Status-Not: x\n\nStatus: R\n\n"
      "From - \nX-STATUS: DT\n\nx\n");
  REQUIRE(all.size() == 2);
  CHECK(all[0].text == "Subject: a\nX-Status-Not: x\n\nStatus: R\n");
  CHECK(all[0].message.flags.to_wire() == "\\Answered \\Flagged \\Seen $Label1");
  CHECK(all[1].text == "\nx\n");
  CHECK(all[1].message.flags.to_wire() == "\\Deleted \\Draft");
}

TEST_CASE_FIXTURE(MboxFixture, "lines longer than any buffer pass") {
  const std::string line(1'000'000, 'x');
  const auto all = read("From - \nSubject: " + line + "\n\n" + line + line + "\n\nFrom - \n" + line);
  REQUIRE(all.size() == 2);
  CHECK(all[0].text.size() == 3 * line.size() + 12);
  CHECK(all[1].text == line);
}

TEST_CASE_FIXTURE(MboxFixture, "what is no mbox file is refused, and an empty one has no messages") {
  CHECK(read("").empty());
  CHECK(read("\xEF\xBB\xBF"
             "From -\nSubject: a\n\nx\n")
            .at(0)
            .text == "Subject: a\n\nx\n");
  write("Subject: a\n\nx\n");
  CHECK(MboxReader::open(path).error().kind == ErrorKind::cannot);
  CHECK(MboxReader::open(directory / "none").error().kind == ErrorKind::not_found);
  CHECK(MboxReader::open(directory.path()).error().kind != ErrorKind::not_found);
}

TEST_CASE_FIXTURE(MboxFixture, "what is written is read again, octet by octet, in any cuts") {
  Flags flags;
  flags.set(SystemFlag::seen);
  flags.set(SystemFlag::deleted);
  flags.add_keyword("$Forwarded");
  const std::string message =
      "Subject: a\r\n\r\nFrom x\r\n>From y\r\n>>> From z\r\nFro\r\n>\r\n\r\nlone \r cr\r\nend\r\n";
  for (std::size_t step = 1; step <= message.size(); ++step) {
    const std::string file = written(message, step, flags);
    const auto all = read(file + file);
    REQUIRE(all.size() == 2);
    std::string expected = message;
    for (std::size_t at = 0; (at = expected.find("\r\n", at)) != std::string::npos;) expected.erase(at, 1);
    CHECK(all[0].text == expected);
    CHECK(all[1].text == expected);
    CHECK(all[0].message.date->seconds == 1700000000);
    CHECK(all[0].message.flags == flags);
  }
}

TEST_CASE_FIXTURE(MboxFixture, "a message without an end of line, and an empty one, get what the format needs") {
  const auto all = read(written("Subject: a\r\n\r\nx\r", 1) + written("", 1) + written("From", 2));
  REQUIRE(all.size() == 3);
  CHECK(all[0].text == "Subject: a\n\nx\r\n");
  CHECK(all[1].text == "");
  CHECK(all[2].text == "From\n");
}
