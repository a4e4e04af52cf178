#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "server/net/certificate_facts.h"
#include "tests/server/net/tls_peer.h"

using namespace postkeep;
using namespace postkeep::server;

TEST_CASE("a self-signed certificate is made once, and only its owner can read it") {
  const test::TemporaryDirectory directory;
  const CertificateFiles made = ensure_self_signed(directory / "tls", "mail.example.org").value();
  struct stat first {};
  REQUIRE(::stat(made.private_key.c_str(), &first) == 0);
  CHECK((first.st_mode & 0777) == 0600);
  const CertificateFiles again = ensure_self_signed(directory / "tls", "mail.example.org").value();
  struct stat second {};
  REQUIRE(::stat(again.private_key.c_str(), &second) == 0);
  CHECK(first.st_ino == second.st_ino);
}

TEST_CASE("a reload that fails keeps the certificate that works") {
  const test::Certificate certificate;
  TlsStore store;
  CHECK(store.current() == nullptr);
  REQUIRE(store.load({certificate.files}, TlsMinimum::tls_1_2));
  const auto working = store.current();
  CertificateFiles broken = certificate.files;
  broken.certificate += ".missing";
  const Outcome failed = store.load({broken}, TlsMinimum::tls_1_2);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().detail.find(broken.certificate) != std::string::npos);
  CHECK(store.current() == working);
}

TEST_CASE("a certificate with another's key is refused") {
  const test::Certificate mine, other;
  CertificateFiles mixed = mine.files;
  mixed.private_key = other.files.private_key;
  TlsStore store;
  CHECK_FALSE(store.load({mixed}, TlsMinimum::tls_1_2));
}

namespace {

CertificateFacts facts_of(std::vector<std::string> names, int key_kind) {
  CertificateFacts facts;
  facts.names = std::move(names);
  facts.key_kind = key_kind;
  return facts;
}

}  // namespace

TEST_CASE("a certificate tells its names and the kind of its key") {
  const test::Certificate certificate;
  const CertificateFacts facts = read_certificate_facts(certificate.files.certificate).value();
  CHECK(facts.key_kind == EVP_PKEY_EC);
  REQUIRE_FALSE(facts.names.empty());
  CHECK(facts.names.front() == "mail.example.org");
  CHECK_FALSE(read_certificate_facts(certificate.files.private_key));
  CHECK_FALSE(read_certificate_facts(certificate.files.certificate + ".missing"));
}

TEST_CASE("a name has one certificate of each kind of key, the first of several") {
  const std::vector<CertificateFacts> all = {
      facts_of({"a.example", "b.example"}, EVP_PKEY_EC), facts_of({"a.example"}, EVP_PKEY_RSA),
      facts_of({"a.example", "b.example", "c.example"}, EVP_PKEY_RSA), facts_of({"c.example"}, EVP_PKEY_RSA)};
  CHECK(default_certificates(all) == CertificateChoice{0, 2});
  const auto by_name = certificates_by_name(all);
  CHECK(by_name.at("a.example") == CertificateChoice{0, 1});
  CHECK(by_name.at("b.example") == CertificateChoice{0, 2});
  CHECK(by_name.at("c.example") == CertificateChoice{2});
  CHECK(by_name.size() == 3);
}

TEST_CASE("a context is found by name, without regard to case, and by wildcard for one label") {
  const test::TemporaryDirectory directory;
  std::vector<CertificateFiles> files;
  for (const char* name : {"mail.example.org", "other.example.org", "*.example.net"}) {
    files.push_back(ensure_self_signed(directory / name, name).value());
  }
  const auto context = TlsContext::load(files, TlsMinimum::tls_1_2, std::make_shared<TicketKeys>()).value();
  CHECK(context->for_name("mail.example.org") == context->native());
  CHECK(context->for_name("unknown.example.org") == context->native());
  CHECK(context->for_name("OTHER.Example.org.") != context->native());
  CHECK(context->for_name("other.example.org") == context->for_name("OTHER.example.org"));
  CHECK(context->for_name("x.example.net") == context->for_name("y.example.net"));
  CHECK(context->for_name("x.example.net") != context->native());
  CHECK(context->for_name("x.y.example.net") == context->native());
  CHECK(context->for_name("example.net") == context->native());
}
