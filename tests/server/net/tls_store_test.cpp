#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

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
  REQUIRE(store.load(certificate.files, TlsMinimum::tls_1_2));
  const auto working = store.current();
  CertificateFiles broken = certificate.files;
  broken.certificate += ".missing";
  const Outcome failed = store.load(broken, TlsMinimum::tls_1_2);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().detail.find(broken.certificate) != std::string::npos);
  CHECK(store.current() == working);
}

TEST_CASE("a certificate with another's key is refused") {
  const test::Certificate mine, other;
  CertificateFiles mixed = mine.files;
  mixed.private_key = other.files.private_key;
  TlsStore store;
  CHECK_FALSE(store.load(mixed, TlsMinimum::tls_1_2));
}
