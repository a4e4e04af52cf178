// ARGON2ID and ARGON2I, in the form that libargon2, libsodium and so Dovecot print. RFC 9106.
#include <argon2.h>

#include <array>
#include <charconv>
#include <vector>

#include "auth/limits.h"
#include "auth/schemes.h"

namespace postkeep::auth {

namespace {

constexpr std::size_t argon2_salt_octets = 16;  // RFC 9106 §3.1
constexpr std::size_t hash_octets = 32;         // of hash
constexpr std::uint32_t lanes = 1;              // one login uses one core

// Reads "m=19456" where `name` is "m": true if the number lies in 1..max.
bool parameter_in_range(std::string_view text, std::string_view name, unsigned max) {
  if (!text.starts_with(name) || text.substr(name.size(), 1) != "=") return false;
  text.remove_prefix(name.size() + 1);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 1 && value <= max;
}

bool is_base64_without_padding(std::string_view text, std::size_t characters_min) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return text.size() >= characters_min && text.find_first_not_of(alphabet) == std::string_view::npos;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Result<std::string> read_argon2(std::string_view hash, std::string_view type) {
  const std::vector<std::string_view> parts = split(hash, '$');
  if (parts.size() != 6 || !parts[0].empty() || parts[1] != type || parts[2] != "v=19" ||
      !is_base64_without_padding(parts[4], 11) || !is_base64_without_padding(parts[5], 22)) {
    return failure(ErrorKind::cannot,
                   "An Argon2 hash has the form $" + std::string(type) + "$v=19$m=..,t=..,p=..$salt$hash");
  }
  const std::vector<std::string_view> costs = split(parts[3], ',');
  if (costs.size() != 3 || !parameter_in_range(costs[0], "m", argon2_memory_kib_max) ||
      !parameter_in_range(costs[1], "t", argon2_iterations_max) ||
      !parameter_in_range(costs[2], "p", argon2_lanes_max)) {
    return failure(ErrorKind::cannot, "The cost parameters of the Argon2 hash are malformed or too high");
  }
  return std::string(hash);
}

Result<bool> verify_argon2(const Secret& password, std::string_view hash, argon2_type type) {
  const std::string encoded(hash);  // libargon2 wants an end of string
  const int verified = argon2_verify(encoded.c_str(), password.reveal().data(), password.reveal().size(), type);
  if (verified == ARGON2_OK) return true;
  if (verified == ARGON2_VERIFY_MISMATCH) return false;
  const ErrorKind kind = verified == ARGON2_MEMORY_ALLOCATION_ERROR ? ErrorKind::unavailable : ErrorKind::corruption;
  return failure(kind, "The password cannot be checked now", argon2_error_message(verified));
}

}  // namespace

Result<std::string> read_argon2id(std::string_view hash) { return read_argon2(hash, "argon2id"); }
Result<std::string> read_argon2i(std::string_view hash) { return read_argon2(hash, "argon2i"); }
Result<bool> verify_argon2id(const Secret& password, std::string_view hash) {
  return verify_argon2(password, hash, Argon2_id);
}
Result<bool> verify_argon2i(const Secret& password, std::string_view hash) {
  return verify_argon2(password, hash, Argon2_i);
}

Result<Secret> make_argon2id(const Secret& prepared, const HashCost& cost, RandomSource random) {
  const std::string salt = random_octets(argon2_salt_octets, random);
  std::string encoded(argon2_encodedlen(cost.argon2_iterations, cost.argon2_memory_kib, lanes, argon2_salt_octets,
                                        hash_octets, Argon2_id),
                      '\0');
  const int made = argon2id_hash_encoded(cost.argon2_iterations, cost.argon2_memory_kib, lanes,
                                         prepared.reveal().data(), prepared.reveal().size(), salt.data(), salt.size(),
                                         hash_octets, encoded.data(), encoded.size());
  if (made != ARGON2_OK) {
    return failure(ErrorKind::unavailable, "The password cannot be hashed now", argon2_error_message(made));
  }
  encoded.resize(encoded.find('\0'));
  return Secret(std::move(encoded));
}

void waste_like_argon2(const Secret& password, const HashCost& cost) {
  constexpr std::string_view salt = "nobody's salt...";
  static_assert(salt.size() == argon2_salt_octets);
  std::array<unsigned char, hash_octets> hash{};
  // Without memory this is quick; then so is the check of a real user.
  argon2id_hash_raw(cost.argon2_iterations, cost.argon2_memory_kib, lanes, password.reveal().data(),
                    password.reveal().size(), salt.data(), salt.size(), hash.data(), hash.size());
}

}  // namespace postkeep::auth
