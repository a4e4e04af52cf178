// What auth/ refuses to take in, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace postkeep::auth {

// One client message of a SASL exchange, in base64 on the wire. RFC 4616 §2 wants 255 octets for each of
// its three parts; room is left for the tokens of mechanisms to come.
inline constexpr std::size_t sasl_line_octets_max = 16 * 1024;
// A password longer than this only buys its sender hashing time.
inline constexpr std::size_t password_octets_max = 1024;
// A login name or address longer than this belongs to nobody: RFC 5321 §4.5.3.1.3 ends paths at 256.
inline constexpr std::size_t login_octets_max = 512;
// A user's name becomes one percent-encoded path component (NAME_MAX is 255), so this bounds the encoded form.
inline constexpr std::size_t user_name_encoded_octets_max = 240;
// A verifier given ready-made with --hash.
inline constexpr std::size_t verifier_octets_max = 2048;
// A passwd-file is read whole; a line of one is a user with a verifier and some fields.
inline constexpr std::size_t passwd_file_octets_max = 64 * 1024 * 1024;
inline constexpr std::size_t passwd_line_octets_max = 8 * 1024;
// Passwords that were right and are remembered for a while: 150 octets each.
inline constexpr std::size_t verified_passwords_max = 100'000;
// Hash parameters found in a ready-made verifier: one login may not take the machine down.
inline constexpr unsigned argon2_memory_kib_max = 1024 * 1024;
inline constexpr unsigned argon2_iterations_max = 64;
inline constexpr unsigned argon2_lanes_max = 64;
inline constexpr unsigned crypt_rounds_max = 1'000'000;  // of SHA512-CRYPT: half a second
inline constexpr unsigned bcrypt_cost_max = 14;          // a second
inline constexpr std::uint64_t yescrypt_memory_max = 256 * 1024 * 1024;
inline constexpr std::size_t digest_salt_octets_max = 64;
// What we make ourselves: SHA-crypt's default of 5,000 rounds is of 2007.
inline constexpr unsigned crypt_rounds_made = 100'000;
inline constexpr unsigned bcrypt_cost_made = 11;
inline constexpr unsigned scram_iterations_min = 4096;  // RFC 7677 §4
inline constexpr unsigned scram_iterations_max = 1'000'000;
inline constexpr std::size_t scram_salt_octets = 16;        // of salts that we make
inline constexpr std::size_t scram_nonce_octets_max = 512;  // the client's share
inline constexpr std::size_t cram_md5_digits = 32;          // RFC 2195 §2
inline constexpr std::size_t trace_characters_max = 255;    // of ANONYMOUS; RFC 4505 §2
// A map from certificates to users is read whole: a line is a name and a name in a certificate.
inline constexpr std::size_t certificate_map_octets_max = 16 * 1024 * 1024;

}  // namespace postkeep::auth
