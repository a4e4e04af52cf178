// The schemes of crypt(3): yescrypt ($y$), SHA512-CRYPT ($6$), SHA256-CRYPT ($5$), bcrypt ($2a$ $2b$ $2y$) and
// MD5-CRYPT ($1$). A hash is taken in only with the shape of its kind and with a cost that one login may have.
#include <crypt.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>

#include "auth/limits.h"
#include "auth/schemes.h"

namespace postkeep::auth {

namespace {

constexpr std::string_view alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool is_encoded(std::string_view text, std::size_t length) {
  return text.size() == length && text.find_first_not_of(alphabet) == std::string_view::npos;
}

// Cuts off what stands before the next '$', which must be there.
std::optional<std::string_view> take_part(std::string_view& rest) {
  const std::size_t end = rest.find('$');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return part;
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_salt(std::string_view salt, std::size_t octets_max) {
  return salt.size() <= octets_max && std::ranges::all_of(salt, [](char c) { return c > ' ' && c <= '~' && c != ':'; });
}

// What stands behind "$id$", judged. In each, `rest` ends with the hash itself.

// [rounds=N$]salt$hash
bool is_sha_crypt(std::string_view rest, std::size_t hash_characters) {
  constexpr std::string_view rounds_name = "rounds=";
  if (rest.starts_with(rounds_name)) {
    const std::optional<std::string_view> part = take_part(rest);
    const std::optional<unsigned> rounds = part ? number(part->substr(rounds_name.size())) : std::nullopt;
    if (!rounds || *rounds > crypt_rounds_max) return false;
  }
  const std::optional<std::string_view> salt = take_part(rest);
  return salt && is_salt(*salt, 16) && is_encoded(rest, hash_characters);
}
bool is_sha512_crypt(std::string_view rest) { return is_sha_crypt(rest, 86); }
bool is_sha256_crypt(std::string_view rest) { return is_sha_crypt(rest, 43); }

// salt$hash
bool is_md5_crypt(std::string_view rest) {
  const std::optional<std::string_view> salt = take_part(rest);
  return salt && is_salt(*salt, 8) && is_encoded(rest, 22);
}

// cost$ and 22 characters of salt with 31 of hash
bool is_bcrypt(std::string_view rest) {
  const std::optional<std::string_view> part = take_part(rest);
  if (!part || part->size() != 2) return false;
  const std::optional<unsigned> cost = number(*part);
  return cost && *cost >= 4 && *cost <= bcrypt_cost_max && is_encoded(rest, 53);
}

// flavour, log2 of N, r - 1, each one character; memory is 128 * N * r octets. Further parameters (more time, more
// threads) and greater values take more characters: nobody's defaults, and no limit could be computed.
bool is_yescrypt(std::string_view rest) {
  const std::optional<std::string_view> parameters = take_part(rest);
  const std::optional<std::string_view> salt = take_part(rest);
  if (!parameters || !is_encoded(*parameters, 3) || !salt || salt->size() > 86 || !is_encoded(*salt, salt->size())) {
    return false;
  }
  const std::uint64_t log2_n = alphabet.find((*parameters)[1]) + 1;
  const std::uint64_t r = alphabet.find((*parameters)[2]) + 1;
  constexpr std::size_t one_character_max = 47;
  if (log2_n > 31 || r > one_character_max) return false;
  return ((128 * r) << log2_n) <= yescrypt_memory_max && is_encoded(rest, 43);
}

struct Kind {
  std::string_view prefix;
  bool (*is_well_formed)(std::string_view rest);
};
constexpr std::array kinds = {
    Kind{"$y$", is_yescrypt}, Kind{"$6$", is_sha512_crypt}, Kind{"$5$", is_sha256_crypt}, Kind{"$2a$", is_bcrypt},
    Kind{"$2b$", is_bcrypt},  Kind{"$2y$", is_bcrypt},      Kind{"$1$", is_md5_crypt},
};

// `prefix` is what a scheme's hashes begin with.
Result<std::string> read_kind(std::string_view hash, std::string_view prefix) {
  const auto kind = std::ranges::find_if(kinds, [&](const Kind& k) { return hash.starts_with(k.prefix); });
  if (kind == kinds.end() || !hash.starts_with(prefix)) {
    return failure(ErrorKind::cannot, prefix.empty()
                                          ? "A CRYPT hash here begins with $y$, $6$, $5$, $2a$, $2b$, $2y$ or $1$"
                                          : "A hash of this scheme begins with " + std::string(prefix));
  }
  if (!kind->is_well_formed(hash.substr(kind->prefix.size()))) {
    return failure(ErrorKind::cannot,
                   "The hash after " + std::string(kind->prefix) + " is malformed, or its cost is too high");
  }
  return std::string(hash);
}

// crypt(3)'s own memory: 32 KiB, wiped.
struct Workspace {
  Workspace() : data(std::make_unique<crypt_data>()) {}
  ~Workspace() { OPENSSL_cleanse(data.get(), sizeof *data); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  std::unique_ptr<crypt_data> data;
};

Result<std::string> run_crypt(const Secret& password, const std::string& setting) {
  const std::string phrase(password.reveal());
  Workspace workspace;
  const char* hashed = crypt_rn(phrase.c_str(), setting.c_str(), workspace.data.get(), sizeof(crypt_data));
  OPENSSL_cleanse(const_cast<char*>(phrase.data()), phrase.size());
  if (hashed == nullptr || hashed[0] == '*') {
    return failure(ErrorKind::corruption, "The password cannot be checked now", "crypt(3) does not take the hash");
  }
  return std::string(hashed);
}

Result<Secret> make_kind(const Secret& prepared, const char* prefix, unsigned long cost, RandomSource random) {
  std::string octets = random_octets(24, random);
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (crypt_gensalt_rn(prefix, cost, octets.data(), static_cast<int>(octets.size()), setting.data(), setting.size()) ==
      nullptr) {
    return failure(ErrorKind::unavailable, "The password cannot be hashed now", "crypt_gensalt(3) refused");
  }
  return Secret(TRY(run_crypt(prepared, setting.data())));
}

}  // namespace

Result<std::string> read_crypt(std::string_view hash) { return read_kind(hash, ""); }
Result<std::string> read_sha512_crypt(std::string_view hash) { return read_kind(hash, "$6$"); }
Result<std::string> read_sha256_crypt(std::string_view hash) { return read_kind(hash, "$5$"); }
Result<std::string> read_blf_crypt(std::string_view hash) { return read_kind(hash, "$2"); }
Result<std::string> read_md5_crypt(std::string_view hash) { return read_kind(hash, "$1$"); }

Result<bool> verify_crypt(const Secret& password, std::string_view hash) {
  if (password.reveal().size() >= CRYPT_MAX_PASSPHRASE_SIZE) return false;  // which no hash can have been made of
  return are_equal(TRY(run_crypt(password, std::string(hash))), hash);
}

// The costs are libcrypt's defaults (0), but for bcrypt, whose 5 is of another age.
Result<Secret> make_yescrypt(const Secret& prepared, const HashCost&, RandomSource random) {
  return make_kind(prepared, "$y$", 0, random);
}
Result<Secret> make_sha512_crypt(const Secret& prepared, const HashCost&, RandomSource random) {
  return make_kind(prepared, "$6$", crypt_rounds_made, random);
}
Result<Secret> make_sha256_crypt(const Secret& prepared, const HashCost&, RandomSource random) {
  return make_kind(prepared, "$5$", crypt_rounds_made, random);
}
Result<Secret> make_blf_crypt(const Secret& prepared, const HashCost&, RandomSource random) {
  return make_kind(prepared, "$2y$", bcrypt_cost_made, random);
}

}  // namespace postkeep::auth
