#include "storage/body_reader.h"

#include <doctest/doctest.h>

#include <random>

#include "storage/posix_file_system.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::storage {
namespace {

struct BodyReaderFixture {
  test::TemporaryDirectory directory;
  std::unique_ptr<FileSystem> files = posix_file_system();

  std::unique_ptr<BodyReader> reader(std::string_view content, LineEnds line_ends,
                                     std::optional<std::uint64_t> served_size = std::nullopt) {
    REQUIRE(files->create(directory / "m", FileSystem::Existing::truncate).value()->append(content));
    return BodyReader::open(*files, directory / "m", line_ends, served_size).value();
  }
};

// The same rule written the plain way.
std::string converted(std::string_view content) {
  std::string out;
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] == '\n' && (i == 0 || content[i - 1] != '\r')) out += '\r';
    out += content[i];
  }
  return out;
}

std::string read(BodyReader& reader, std::uint64_t offset, std::size_t count) {
  std::string out = "kept:";
  REQUIRE(reader.read(offset, count, out));
  REQUIRE(out.starts_with("kept:"));
  return out.substr(5);
}

TEST_CASE_FIXTURE(BodyReaderFixture, "a file of ours is served as it lies") {
  const auto body = reader(std::string("a\nb\r\nc\0d", 8), LineEnds::as_stored);
  CHECK(body->size() == 8);
  CHECK(read(*body, 0, 100) == std::string("a\nb\r\nc\0d", 8));
  CHECK(read(*body, 2, 3) == "b\r\n");
  CHECK(read(*body, 8, 5).empty());
  CHECK(read(*body, 1000, 5).empty());
}

TEST_CASE_FIXTURE(BodyReaderFixture, "a foreign file is served with each bare LF as CRLF and nothing else changed") {
  const std::pair<const char*, const char*> rows[] = {
      {"", ""},
      {"\n", "\r\n"},
      {"\r\n", "\r\n"},
      {"\r", "\r"},
      {"\n\n", "\r\n\r\n"},
      {"a\nb", "a\r\nb"},
      {"\r\r\n\n", "\r\r\n\r\n"},
      {"a\rb\n", "a\rb\r\n"},
      {"a\r\n", "a\r\n"},
  };
  for (const auto& row : rows) {
    const std::string_view stored = row.first;
    const std::string_view served = row.second;
    CAPTURE(stored);
    const auto body = reader(stored, LineEnds::to_crlf);
    CHECK(body->size() == served.size());
    CHECK(read(*body, 0, 100) == served);
  }
}

TEST_CASE_FIXTURE(BodyReaderFixture, "any range of a large foreign file is what the whole would have there") {
  std::mt19937 random(7);
  std::string content;
  // CR and LF often, so that pairs lie across the borders of chunks.
  for (int i = 0; i < 300'000; ++i) content += "\r\nab"[random() % 4];
  const std::string served = converted(content);
  const auto scanned = reader(content, LineEnds::to_crlf);
  const auto told = reader(content, LineEnds::to_crlf, served.size());
  CHECK(scanned->size() == served.size());
  for (int i = 0; i < 300; ++i) {
    const std::size_t offset = random() % (served.size() + 10);
    const std::size_t count = random() % (i % 10 == 0 ? 200'000 : 50);
    CAPTURE(offset);
    CAPTURE(count);
    const std::string expected = offset < served.size() ? served.substr(offset, count) : "";
    CHECK(read(*scanned, offset, count) == expected);
    CHECK(read(*told, offset, count) == expected);
  }
}

TEST_CASE_FIXTURE(BodyReaderFixture, "a file that got shorter is told as corruption and adds nothing") {
  for (const LineEnds line_ends : {LineEnds::as_stored, LineEnds::to_crlf}) {
    const auto body = reader("some\nlines\n", line_ends);
    REQUIRE(files->create(directory / "m", FileSystem::Existing::truncate));
    std::string out;
    CHECK(body->read(0, 5, out).error().kind == ErrorKind::corruption);
    CHECK(out.empty());
  }
}

TEST_CASE_FIXTURE(BodyReaderFixture, "a message is read to its end after it was unlinked") {
  const auto body = reader("a\nb", LineEnds::to_crlf);
  REQUIRE(files->unlink(directory / "m"));
  CHECK(read(*body, 0, 10) == "a\r\nb");
}

}  // namespace
}  // namespace postkeep::storage
