#include "auth/password_hash.h"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "auth/limits.h"
#include "auth/schemes.h"
#include "protocol/base/ascii.h"
#include "protocol/base/base64.h"

namespace postkeep::auth {

namespace {

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string octets;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = ascii::hex_value(text[i]);
    const int low = ascii::hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    octets += static_cast<char>(high * 16 + low);
  }
  return octets;
}

// What Dovecot may put behind a scheme's name: how the hash is printed.
enum class Encoding { own, hex, base64 };

// "SSHA256.HEX" is cut to "SSHA256".
std::optional<Encoding> take_encoding(std::string_view& name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return Encoding::own;
  const std::string_view suffix = name.substr(dot + 1);
  name = name.substr(0, dot);
  if (ascii::iequals(suffix, "HEX")) return Encoding::hex;
  if (ascii::iequals(suffix, "B64") || ascii::iequals(suffix, "BASE64")) return Encoding::base64;
  return std::nullopt;
}

// The hash in the scheme's own encoding: octets in base64, text as it is. Octets that are all hexadecimal digits are
// taken for hexadecimal where the scheme has no salt, so that their length tells.
Result<std::string> recode(const SchemeRow& row, std::string_view hash, Encoding encoding) {
  const bool is_octets = row.form == SchemeRow::Form::octets;
  std::optional<std::string> octets;
  if (encoding == Encoding::hex) {
    octets = from_hex(hash);
    if (!octets) return failure(ErrorKind::cannot, "The hash is not hexadecimal");
  } else if (encoding == Encoding::base64) {
    Result<std::string> decoded = base64_decode(hash);
    if (!decoded) return failure(ErrorKind::cannot, "The hash is not base64");
    octets = std::move(*decoded);
  } else if (is_octets && !row.read(hash)) {
    octets = from_hex(hash);
  }
  if (!octets) return std::string(hash);
  return is_octets ? base64_encode(*octets) : std::move(*octets);
}

}  // namespace

Work work_of(Scheme scheme) { return row_of(scheme).work; }

std::string_view to_string(Scheme scheme) { return row_of(scheme).name; }

std::optional<Scheme> scheme_from_string(std::string_view name) {
  for (const SchemeRow& row : schemes()) {
    if (ascii::iequals(row.name, name) || (!row.alias.empty() && ascii::iequals(row.alias, name))) return row.scheme;
  }
  return std::nullopt;
}

std::string makeable_schemes() {
  std::string names;
  for (const SchemeRow& row : schemes()) {
    if (row.make != nullptr) names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return names;
}

Secret to_text(const Verifier& verifier) {
  return Secret("{" + std::string(to_string(verifier.scheme)) + "}" + std::string(verifier.hash.reveal()));
}

Result<Verifier> verifier_from_text(std::string_view text) {
  const std::size_t end = text.find('}');
  if (!text.starts_with('{') || end == std::string_view::npos) {
    return failure(ErrorKind::cannot, "A ready-made hash has the form {SCHEME}hash");
  }
  if (text.size() > verifier_octets_max) return failure(ErrorKind::cannot, "The hash is too long");
  std::string_view name = text.substr(1, end - 1);
  const std::optional<Encoding> encoding = take_encoding(name);
  const std::optional<Scheme> scheme = encoding ? scheme_from_string(name) : std::nullopt;
  if (!scheme) return failure(ErrorKind::cannot, "Unknown scheme; `postkeep pw schemes` lists those there are");
  const SchemeRow& row = row_of(*scheme);
  const std::string hash = TRY(recode(row, text.substr(end + 1), *encoding));
  return Verifier{*scheme, Secret(TRY(row.read(hash)))};
}

Result<Verifier> verifier_from_text_or_crypt(std::string_view text) {
  if (text.starts_with('{')) return verifier_from_text(text);
  if (text.size() > verifier_octets_max) return failure(ErrorKind::cannot, "The hash is too long");
  return Verifier{Scheme::crypt, Secret(TRY(row_of(Scheme::crypt).read(text)))};
}

void system_random(std::span<unsigned char> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) throw std::runtime_error("no random numbers");
}

Result<Secret> prepared_password(const Secret& password, text::Prep prep) {
  if (password.empty()) return failure(ErrorKind::cannot, "The password is empty");
  if (password.reveal().size() > password_octets_max) {
    return failure(ErrorKind::cannot, "The password is longer than " + std::to_string(password_octets_max) + " octets");
  }
  Result<std::string> prepared = text::sasl_prep(password.reveal(), prep);
  if (!prepared && prepared.error().kind == ErrorKind::cannot) {
    return failure(ErrorKind::cannot, "A password must be UTF-8 without control characters");
  }
  if (!prepared) return tl::unexpected(prepared.error());
  if (prepared->empty()) return failure(ErrorKind::cannot, "Nothing is left of the password once it is normalised");
  return Secret(std::move(*prepared));
}

Result<std::vector<Verifier>> make_verifiers(const Secret& password, std::optional<Scheme> scheme, const HashCost& cost,
                                             RandomSource random) {
  const Secret prepared = TRY(prepared_password(password, text::Prep::stored));
  std::vector<Scheme> wanted = scheme ? std::vector{*scheme} : std::vector{Scheme::argon2id, Scheme::scram_sha_256};
  if (!scheme && cost.scram_sha_1) wanted.push_back(Scheme::scram_sha_1);
  std::vector<Verifier> verifiers;
  for (const Scheme one : wanted) {
    const SchemeRow& row = row_of(one);
    if (row.make == nullptr) {
      return failure(
          ErrorKind::cannot,
          std::string(row.name) + " hashes are checked, but no longer made; choose one of " + makeable_schemes());
    }
    verifiers.push_back(Verifier{one, TRY(row.make(prepared, cost, random))});
  }
  return verifiers;
}

Result<bool> verify_password(const Secret& password, const Verifier& verifier) {
  const Result<Secret> prepared = prepared_password(password);
  if (!prepared && prepared.error().kind == ErrorKind::cannot) return false;
  if (!prepared) return tl::unexpected(prepared.error());
  const SchemeRow& row = row_of(verifier.scheme);
  const bool right = TRY(row.verify(*prepared, verifier.hash.reveal()));
  if (right || !row.tries_typed_form || prepared->reveal() == password.reveal()) return right;
  return row.verify(password, verifier.hash.reveal());
}

}  // namespace postkeep::auth
