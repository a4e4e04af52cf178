#include "server/net/client_certificates.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/server/net/tls_ends.h"
#include "tests/server/net/tls_peer.h"

using namespace postkeep;
using namespace postkeep::server;
using test::MadeCertificate;
using test::TlsEnds;

namespace {

struct ClientCertificatesFixture {
  test::TemporaryDirectory directory;
  test::Certificate ours;
  MadeCertificate authority{"Authority"};
  std::shared_ptr<TicketKeys> tickets = std::make_shared<TicketKeys>();

  std::shared_ptr<const TlsContext> asking(const MadeCertificate& trusted) {
    trusted.write(directory / "ca.pem");
    return TlsContext::load({ours.files}, TlsMinimum::tls_1_2, tickets, directory / "ca.pem").value();
  }
};

}  // namespace

TEST_CASE_FIXTURE(ClientCertificatesFixture, "the names of a certificate that verifies are those that are in it") {
  const MadeCertificate alice("Alice Smith", "email:alice@example.org,email:a@example.net,DNS:example.org", &authority);
  const auto context = asking(authority);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    const TlsEnds ends(*context, version, &alice);
    REQUIRE(ends.is_up());
    const auto names = client_certificate(ends.server.get());
    REQUIRE(names.has_value());
    CHECK(names->subject == "CN=Alice Smith,O=Example");
    CHECK(names->common_names == std::vector<std::string>{"Alice Smith"});
    CHECK(names->emails == std::vector<std::string>{"alice@example.org", "a@example.net"});
    CHECK(names->fingerprint.size() == 64);
    CHECK(client_certificate_problem(ends.server.get()).empty());
    // A resumed session keeps it, as long as the authorities are the same.
    const test::SessionPtr session = ends.session();
    const TlsEnds resumed(*asking(authority), version, &alice, session.get());
    REQUIRE(SSL_session_reused(resumed.server.get()) == 1);
    CHECK(client_certificate(resumed.server.get())->subject == names->subject);
    const MadeCertificate other("Other authority");
    const TlsEnds elsewhere(*asking(other), version, &alice, session.get());
    REQUIRE(elsewhere.is_up());
    CHECK(SSL_session_reused(elsewhere.server.get()) == 0);
    CHECK_FALSE(client_certificate(elsewhere.server.get()).has_value());
  }
}

TEST_CASE_FIXTURE(ClientCertificatesFixture, "a certificate that does not verify is as none, and ends no handshake") {
  const MadeCertificate self_signed("alice"), stranger("Stranger"), signed_by_stranger("alice", "", &stranger);
  const auto context = asking(authority);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const MadeCertificate* shown : {&self_signed, &signed_by_stranger}) {
      const TlsEnds ends(*context, version, shown);
      REQUIRE(ends.is_up());
      CHECK_FALSE(client_certificate(ends.server.get()).has_value());
      CHECK_FALSE(client_certificate_problem(ends.server.get()).empty());
    }
    const TlsEnds without(*context, version);
    REQUIRE(without.is_up());
    CHECK_FALSE(client_certificate(without.server.get()).has_value());
    CHECK(client_certificate_problem(without.server.get()).empty());
  }
  const MadeCertificate alice("alice", "", &authority);
  const TlsEnds unasked(*ours.context(), TLS1_3_VERSION, &alice);
  CHECK_FALSE(client_certificate(unasked.server.get()).has_value());
  CHECK_FALSE(client_certificate(nullptr).has_value());
}

TEST_CASE_FIXTURE(ClientCertificatesFixture, "names with NUL in them are nobody's") {
  const MadeCertificate sly(std::string("alice\0.example.org", 18), "", &authority);
  const TlsEnds ends(*asking(authority), TLS1_3_VERSION, &sly);
  const auto names = client_certificate(ends.server.get());
  REQUIRE(names.has_value());
  CHECK(names->common_names.empty());
}

TEST_CASE_FIXTURE(ClientCertificatesFixture, "authorities that cannot be read are an error that names the file") {
  const auto fails = [this](const std::string& file) {
    const auto loaded = TlsContext::load({ours.files}, TlsMinimum::tls_1_2, tickets, file);
    return !loaded && loaded.error().detail.find(file) != std::string::npos;
  };
  CHECK(fails(directory / "missing.pem"));
  std::ofstream(directory / "empty.pem") << "nothing\n";
  CHECK(fails(directory / "empty.pem"));
}
