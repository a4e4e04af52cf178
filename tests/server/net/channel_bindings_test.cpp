#include "server/net/channel_bindings.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "tests/server/net/tls_ends.h"
#include "tests/server/net/tls_peer.h"

using namespace postkeep;
using namespace postkeep::server;
using test::TlsEnds;

namespace {

// The octets of a type; "" if there is none.
std::string octets_of(const std::vector<auth::ChannelBinding>& bindings, std::string_view type) {
  const auto found = std::ranges::find(bindings, type, &auth::ChannelBinding::type);
  return found == bindings.end() ? std::string() : found->octets;
}

// As a client has them, by calls of its own.
std::string exported_by(SSL* client) {
  std::string octets(32, '\0');
  REQUIRE(SSL_export_keying_material(client, reinterpret_cast<unsigned char*>(octets.data()), octets.size(),
                                     "EXPORTER-Channel-Binding", 24, reinterpret_cast<const unsigned char*>(""), 0,
                                     1) == 1);
  return octets;
}
std::string finished_at(SSL* client) {
  std::array<char, 64> octets{};
  const std::size_t length = SSL_session_reused(client) == 1
                                 ? SSL_get_peer_finished(client, octets.data(), octets.size())
                                 : SSL_get_finished(client, octets.data(), octets.size());
  return std::string(octets.data(), length);
}
std::string hash_of_certificate(SSL* client) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
  unsigned length = 0;
  X509_digest(SSL_get0_peer_certificate(client), EVP_sha256(), octets.data(), &length);
  return std::string(reinterpret_cast<char*>(octets.data()), length);
}

}  // namespace

TEST_CASE("both ends of TLS 1.3 have the same tls-exporter, no two connections do, and there is no tls-unique") {
  const test::Certificate certificate;
  const auto context = certificate.context();
  const TlsEnds one(*context, TLS1_3_VERSION), other(*context, TLS1_3_VERSION);
  REQUIRE(one.is_up());
  const auto bindings = channel_bindings(one.server.get());
  CHECK(octets_of(bindings, "tls-exporter") == exported_by(one.client.get()));
  CHECK(octets_of(bindings, "tls-exporter") != octets_of(channel_bindings(other.server.get()), "tls-exporter"));
  CHECK(octets_of(bindings, "tls-unique").empty());
  CHECK(octets_of(bindings, "tls-server-end-point") == hash_of_certificate(one.client.get()));
}

TEST_CASE("both ends of TLS 1.2 have the same tls-unique, in a resumed session too, and there is no tls-exporter") {
  const test::Certificate certificate;
  const auto context = certificate.context();
  const TlsEnds one(*context, TLS1_2_VERSION);
  REQUIRE(one.is_up());
  const auto bindings = channel_bindings(one.server.get());
  REQUIRE_FALSE(octets_of(bindings, "tls-unique").empty());
  CHECK(octets_of(bindings, "tls-unique") == finished_at(one.client.get()));
  CHECK(octets_of(bindings, "tls-exporter").empty());
  CHECK(octets_of(bindings, "tls-server-end-point") == hash_of_certificate(one.client.get()));

  const test::SessionPtr session = one.session();
  const TlsEnds resumed(*context, TLS1_2_VERSION, nullptr, session.get());
  REQUIRE(resumed.is_up());
  REQUIRE(SSL_session_reused(resumed.server.get()) == 1);
  const auto again = channel_bindings(resumed.server.get());
  CHECK(octets_of(again, "tls-unique") == finished_at(resumed.client.get()));
  CHECK(octets_of(again, "tls-unique") != octets_of(bindings, "tls-unique"));
  CHECK(octets_of(again, "tls-server-end-point").empty());  // which certificate it was, nobody knows
}

TEST_CASE("TLS 1.2 without an extended master secret has nothing to bind to, and neither has no TLS") {
  const test::Certificate certificate;
  const TlsEnds ends(*certificate.context(), TLS1_2_VERSION, nullptr, nullptr, SSL_OP_NO_EXTENDED_MASTER_SECRET);
  REQUIRE(ends.is_up());
  CHECK(channel_bindings(ends.server.get()).empty());
  CHECK(channel_bindings(nullptr).empty());
}
