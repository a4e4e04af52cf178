// Which header fields a listing finds in the index.
#include "storage/types.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace postkeep::storage {
namespace {

TEST_CASE("Cached header names are lower case and without repetition") {
  const auto& names = cached_header_names();
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
  for (const std::string& name : names) {
    CHECK(std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
  }
}

TEST_CASE("A field is looked up without regard to case, and only as a whole name") {
  CHECK(is_cached_header("SUBJECT"));
  CHECK(is_cached_header("Message-Id"));
  CHECK_FALSE(is_cached_header("Subjec"));
  CHECK_FALSE(is_cached_header("Subject "));
  CHECK_FALSE(is_cached_header(""));
}

TEST_CASE("What Thunderbird and mutt list is cached, what would fill the index is not") {
  for (const char* name : {"From",
                           "To",
                           "Cc",
                           "Bcc",
                           "Subject",
                           "Date",
                           "Message-ID",
                           "Priority",
                           "X-Priority",
                           "References",
                           "Newsgroups",
                           "In-Reply-To",
                           "Content-Type",
                           "Reply-To",
                           "Sender",
                           "Content-Description",
                           "Lines",
                           "List-Post",
                           "List-Subscribe",
                           "List-Unsubscribe",
                           "X-Label",
                           "X-Original-To"}) {
    CAPTURE(name);
    CHECK(is_cached_header(name));
  }
  CHECK_FALSE(is_cached_header("Received"));
  CHECK_FALSE(is_cached_header("DKIM-Signature"));
}

}  // namespace
}  // namespace postkeep::storage
