#include "server/runtime/admission.h"

#include <doctest/doctest.h>

using namespace postkeep;
using namespace postkeep::server;

namespace {

AdmissionLimits limits(std::uint64_t total, std::uint64_t per_address, std::uint64_t per_user) {
  AdmissionLimits made;
  made.total = total;
  made.per_address = per_address;
  made.per_user = per_user;
  return made;
}

}  // namespace

TEST_CASE("an address has its places, and gets them back") {
  Admission admission(limits(0, 2, 0));
  auto first = admission.admit_connection("192.0.2.1");
  auto second = admission.admit_connection("192.0.2.1");
  REQUIRE(first);
  REQUIRE(second);
  CHECK_FALSE(admission.admit_connection("192.0.2.1"));
  CHECK(admission.admit_connection("192.0.2.2"));
  *first = Admission::Ticket();
  CHECK(admission.admit_connection("192.0.2.1"));
  CHECK(admission.connections() == 1);
}

TEST_CASE("a connection may be counted by its address later") {
  Admission admission(limits(3, 1, 0));
  const auto first = admission.admit_connection("");
  const auto second = admission.admit_connection("");
  REQUIRE(second);
  auto of_first = admission.admit_address("192.0.2.1");
  REQUIRE(of_first);
  CHECK(admission.connections() == 2);
  CHECK_FALSE(admission.admit_address("192.0.2.1"));
  CHECK_FALSE(admission.admit_connection("192.0.2.1"));
  *of_first = Admission::Ticket();
  CHECK(admission.admit_address("192.0.2.1"));
  CHECK(admission.connections() == 2);
}

TEST_CASE("IPv6 addresses count by /64") {
  Admission admission(limits(0, 1, 0));
  const auto first = admission.admit_connection("2001:db8::1");
  REQUIRE(first);
  CHECK_FALSE(admission.admit_connection("2001:db8::ffff:2"));
  CHECK(admission.admit_connection("2001:db8:0:1::1"));
}

TEST_CASE("Unix sockets count in the total only") {
  Admission admission(limits(3, 1, 0));
  const auto a = admission.admit_connection("unix"), b = admission.admit_connection("unix"),
             c = admission.admit_connection("unix");
  CHECK(a);
  CHECK(b);
  CHECK(c);
  CHECK_FALSE(admission.admit_connection("unix"));
}

TEST_CASE("a user has places; 0 means no limit; a new limit holds for those who come") {
  Admission admission(limits(0, 0, 1));
  const auto first = admission.admit_user("alice");
  REQUIRE(first);
  const auto refused = admission.admit_user("alice");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::limit);
  CHECK(admission.admit_user("bob"));
  CHECK(admission.sessions_of("alice") == 1);
  CHECK(admission.sessions_of("bob") == 0);
  admission.set_limits(limits(0, 0, 0));
  CHECK(admission.admit_user("alice"));
}
