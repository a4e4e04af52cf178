#include "storage/maildir/record_file.h"

#include <doctest/doctest.h>

#include "storage/posix_file_system.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::storage::maildir {
namespace {

const std::vector<Record> records = {
    UidRecord{Uid(17), "1700.V5.host with space%"},
    GoneRecord{Uid(3), Uid(9)},
    KeywordsRecord{Uid(17), {"$Work", "later"}},
    KeywordsRecord{Uid(4294967295), {}},
};

std::string whole_text() {
  std::string text = std::string(uids_file_name) + " 1\n";
  for (const Record& record : records) text += render_record(record);
  return text;
}

TEST_CASE("records are read back as written") {
  const RecordFile file = parse_records(uids_file_name, whole_text());
  CHECK(file.records == records);
  CHECK(file.damaged_lines == 0);
  CHECK(file.octets == whole_text().size());
}

TEST_CASE("a torn last line is left out and told") {
  const std::string text = whole_text();
  const std::string last = render_record(records.back());
  for (std::size_t kept = 1; kept < last.size(); ++kept) {
    CAPTURE(kept);
    const RecordFile file = parse_records(uids_file_name, text.substr(0, text.size() - last.size() + kept));
    CHECK(file.records == std::vector<Record>(records.begin(), records.end() - 1));
    CHECK(file.damaged_lines == 1);
  }
}

TEST_CASE("one changed octet costs its own line at most") {
  const std::string text = whole_text();
  for (std::size_t i = 0; i < text.size(); ++i) {
    CAPTURE(i);
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const RecordFile file = parse_records(uids_file_name, changed);
    CHECK(file.damaged_lines >= 1);
    CHECK(file.records.size() >= records.size() - 2);  // a lost line end joins two lines
  }
}

TEST_CASE("a hole of zeros between good lines hides only what it covers") {
  std::string text = std::string(uids_file_name) + " 1\n" + render_record(records[0]);
  text += std::string(50, '\0') + "\n" + render_record(records[1]);
  const RecordFile file = parse_records(uids_file_name, text);
  CHECK(file.records == std::vector<Record>{records[0], records[1]});
  CHECK(file.damaged_lines == 1);
}

TEST_CASE("records are appended to a file that is made at need") {
  const test::TemporaryDirectory folder;
  const auto files = posix_file_system();
  CHECK(read_records(*files, folder.path(), uids_file_name)->records.empty());
  REQUIRE(append_records(*files, folder.path(), uids_file_name, {records[0]}));
  REQUIRE(append_records(*files, folder.path(), uids_file_name, {records[1], records[2]}));
  REQUIRE(append_records(*files, folder.path(), uids_file_name, {}));
  CHECK(read_records(*files, folder.path(), uids_file_name)->records ==
        std::vector<Record>(records.begin(), records.begin() + 3));
  REQUIRE(rewrite_records(*files, folder.path(), uids_file_name, {records[3]}));
  CHECK(read_records(*files, folder.path(), uids_file_name)->records == std::vector<Record>{records[3]});
}

}  // namespace
}  // namespace postkeep::storage::maildir
