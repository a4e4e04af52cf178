// THE table of password schemes: adding one is its functions in auth/scheme_<family>.cpp and a row in auth/schemes.cpp.
// Used by auth/password_hash, and by `pw schemes` for its list.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "auth/password_hash.h"
#include "protocol/base/result.h"
#include "protocol/base/secret.h"

namespace postkeep::auth {

struct SchemeRow {
  Scheme scheme;
  std::string_view name;
  std::string_view alias;  // another name that is read; or empty
  Work work;
  // octets: the hash is octets, printed in base64 (and read from hexadecimal, too). text: it is printed as it is.
  enum class Form { text, octets } form;
  // Whether a password is hashed as it was typed by other programs, and by us in its SASLprep form.
  bool tries_typed_form;
  // A ready-made hash, checked, in the form in which it is kept. Errors: cannot. Never any of the hash in the text.
  Result<std::string> (*read)(std::string_view hash);
  // `hash` came from read(). Errors: corruption, unavailable.
  Result<bool> (*verify)(const Secret& password, std::string_view hash);
  // Of a prepared password; nullptr: such hashes are checked, but no longer made.
  Result<Secret> (*make)(const Secret& prepared, const HashCost&, RandomSource);
  std::string_view doc;
};

std::span<const SchemeRow> schemes();
const SchemeRow& row_of(Scheme scheme);

// What the families share. `count` random octets.
std::string random_octets(std::size_t count, RandomSource random);
bool are_equal(std::string_view left, std::string_view right);  // in a time that depends on the lengths alone

// --- scheme_argon2.cpp: "$argon2id$v=19$m=..,t=..,p=..$salt$hash"
Result<std::string> read_argon2id(std::string_view hash);
Result<std::string> read_argon2i(std::string_view hash);
Result<bool> verify_argon2id(const Secret& password, std::string_view hash);
Result<bool> verify_argon2i(const Secret& password, std::string_view hash);
Result<Secret> make_argon2id(const Secret& prepared, const HashCost& cost, RandomSource random);

// --- scheme_crypt.cpp: crypt(3), "$id$..."
Result<std::string> read_crypt(std::string_view hash);
Result<std::string> read_sha512_crypt(std::string_view hash);
Result<std::string> read_sha256_crypt(std::string_view hash);
Result<std::string> read_blf_crypt(std::string_view hash);
Result<std::string> read_md5_crypt(std::string_view hash);
Result<bool> verify_crypt(const Secret& password, std::string_view hash);
Result<Secret> make_yescrypt(const Secret& prepared, const HashCost& cost, RandomSource random);
Result<Secret> make_sha512_crypt(const Secret& prepared, const HashCost& cost, RandomSource random);
Result<Secret> make_sha256_crypt(const Secret& prepared, const HashCost& cost, RandomSource random);
Result<Secret> make_blf_crypt(const Secret& prepared, const HashCost& cost, RandomSource random);

// --- scheme_digest.cpp: one pass of a digest, with a salt behind it or without
Result<std::string> read_ssha512(std::string_view hash);
Result<std::string> read_ssha256(std::string_view hash);
Result<std::string> read_ssha(std::string_view hash);
Result<std::string> read_sha512(std::string_view hash);
Result<std::string> read_sha256(std::string_view hash);
Result<std::string> read_sha(std::string_view hash);
Result<bool> verify_sha512(const Secret& password, std::string_view hash);  // and SSHA512: what follows is salt
Result<bool> verify_sha256(const Secret& password, std::string_view hash);
Result<bool> verify_sha(const Secret& password, std::string_view hash);
Result<Secret> make_ssha512(const Secret& prepared, const HashCost& cost, RandomSource random);
Result<Secret> make_ssha256(const Secret& prepared, const HashCost& cost, RandomSource random);

}  // namespace postkeep::auth
