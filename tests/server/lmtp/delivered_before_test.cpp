#include "server/lmtp/delivered_before.h"

#include <doctest/doctest.h>

using namespace postkeep::server;
using namespace std::chrono_literals;

TEST_CASE("what was delivered is known until its time is over") {
  DeliveredBefore before;
  const auto now = DeliveredBefore::Clock::now();
  const auto key = DeliveredBefore::key_of("<1@x>", "alice/INBOX");
  CHECK_FALSE(before.knows(key, now));
  before.add(key, now + 10s);
  CHECK(before.knows(key, now));
  CHECK(before.knows(key, now + 9s));
  CHECK_FALSE(before.knows(key, now + 10s));
  CHECK_FALSE(before.knows(DeliveredBefore::key_of("<1@x>", "bob/INBOX"), now));
  CHECK_FALSE(before.knows(DeliveredBefore::key_of("<2@x>", "alice/INBOX"), now));
  before.add(key, now + 1h);
  CHECK(before.knows(key, now + 10s));
}

TEST_CASE("what is remembered is bounded, and the oldest goes first") {
  DeliveredBefore before;
  const auto now = DeliveredBefore::Clock::now();
  const auto key_of = [](std::size_t i) { return DeliveredBefore::key_of(std::to_string(i), "alice"); };
  for (std::size_t i = 0; i < DeliveredBefore::entries_max + 10; ++i) before.add(key_of(i), now + 1h);
  CHECK(before.size() == DeliveredBefore::entries_max);
  CHECK_FALSE(before.knows(key_of(0), now));
  CHECK_FALSE(before.knows(key_of(9), now));
  CHECK(before.knows(key_of(10), now));
  CHECK(before.knows(key_of(DeliveredBefore::entries_max + 9), now));
  DeliveredBefore short_lived;
  for (std::size_t i = 0; i < 100; ++i) short_lived.add(key_of(i), now - 1s);
  CHECK(short_lived.size() == 1);
}

TEST_CASE("what an MTA sends again has one mark, and another message with its Message-ID has another") {
  const std::string tried = "Received: from a by b id 4F00;\r\n\tnow\r\nReceived: from x\r\nMessage-ID: <1@x>\r\n\r\n";
  CHECK(mark_of("Delivery-date: then\r\n" + tried, 100) == mark_of("Delivery-date: soon\r\n" + tried, 100));
  CHECK(mark_of(tried, 100) != mark_of(tried, 101));
  CHECK(mark_of(tried, 100) != mark_of("Received: from a by b id 4F01;\r\n\tnow\r\n\r\n", 100));
  CHECK(mark_of("Subject: x\r\n\r\n", 7) == "7");
}

TEST_CASE("the Message-ID is found in whatever header") {
  CHECK(message_id_of("Message-ID: <a@b>\r\n\r\n") == "<a@b>");
  CHECK(message_id_of("Subject: x\r\nmessage-id:\r\n\t<a@b>\r\nTo: y\r\n\r\nMessage-ID: <c@d>\r\n") == "<a@b>");
  CHECK(message_id_of("Message-ID: (x) <a@b> (y)\r\n") == "<a@b>");
  CHECK(message_id_of("Message-ID: a@b\r\n\r\n") == std::nullopt);
  CHECK(message_id_of("Message-ID: <a@b\r\n\r\n") == std::nullopt);
  CHECK(message_id_of("Message-ID: <a@b>\r\nMessage-ID: <a@b>\r\n\r\n") == std::nullopt);
  CHECK(message_id_of("\r\nMessage-ID: <a@b>\r\n") == std::nullopt);
  CHECK(message_id_of("") == std::nullopt);
  CHECK(message_id_of("Message-ID: <" + std::string(1000, 'a') + ">\r\n") == std::nullopt);
}
