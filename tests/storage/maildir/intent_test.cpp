#include "storage/maildir/intent.h"

#include <doctest/doctest.h>

#include "storage/posix_file_system.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::storage::maildir {
namespace {

Intent example_intent() {
  Intent intent;
  intent.kind = Intent::Kind::move;
  intent.source = "";
  intent.target = ".Archive";
  intent.entries.push_back({Uid(5), Uid(1005), "17.V1 odd%name:2,S", "18.V2.host,S=9,P=63-3ed:2,S"});
  intent.entries.push_back({Uid(6), Uid(1006), "", "x"});
  intent.unknown.emplace_back("later", "x");
  return intent;
}

TEST_CASE("an intent is read back as written") {
  CHECK(Intent::parse(example_intent().render()).value() == example_intent());
}

TEST_CASE("a torn intent is corruption wherever it was torn") {
  const std::string text = example_intent().render();
  for (std::size_t i = 0; i < text.size(); ++i) CHECK(!Intent::parse(text.substr(0, i)));
}

TEST_CASE("intents are listed by number, torn ones apart, and removed") {
  const test::TemporaryDirectory account;
  const auto files = posix_file_system();
  REQUIRE(write_intent(*files, account.path(), 10, example_intent()));
  REQUIRE(write_intent(*files, account.path(), 9, Intent()));
  CHECK(write_intent(*files, account.path(), 9, Intent()).error().kind == ErrorKind::already_exists);
  const auto torn = files->create(account / "postkeep-intent.11", FileSystem::Existing::fail).value();
  REQUIRE(torn->append("postkeep-intent 1\nkind co"));

  const IntentListing listing = list_intents(*files, account.path()).value();
  REQUIRE(listing.intents.size() == 2);
  CHECK(listing.intents[0].number == 9);
  CHECK(listing.intents[0].intent == Intent());
  CHECK(listing.intents[1].intent == example_intent());
  CHECK(listing.torn == std::vector<std::string>{account / "postkeep-intent.11"});

  REQUIRE(remove_intent(*files, account.path(), 9, Durable::now));
  REQUIRE(remove_intent(*files, account.path(), 10, Durable::later));
  CHECK(list_intents(*files, account.path())->intents.empty());
}

}  // namespace
}  // namespace postkeep::storage::maildir
