#include "auth/server_secret.h"

#include <array>
#include <string>

#include "protocol/base/base64.h"

namespace postkeep::auth {

namespace {

constexpr std::size_t secret_octets = 32;
constexpr std::size_t file_octets_max = 128;

Outcome make_secret(storage::FileSystem& files, const std::string& path, RandomSource random) {
  std::array<unsigned char, secret_octets> octets{};
  random(octets);
  const std::string_view text(reinterpret_cast<const char*>(octets.data()), octets.size());
  return storage::replace_file(files, path, base64_encode(text) + "\n");
}

}  // namespace

Result<Secret> server_secret(storage::FileSystem& files, std::string_view data_dir, RandomSource random) {
  const std::string path = std::string(data_dir) + "/auth-secret";
  Result<std::string> text = storage::read_file(files, path, file_octets_max);
  if (!text && text.error().kind == ErrorKind::not_found) {
    TRY(make_secret(files, path, random));
    text = storage::read_file(files, path, file_octets_max);
  }
  if (!text) return tl::unexpected<Error>(std::move(text).error());
  if (text->ends_with('\n')) text->pop_back();
  Result<std::string> octets = base64_decode(*text);
  if (!octets || octets->size() != secret_octets) {
    return failure(ErrorKind::corruption, "The server's secret is damaged",
                   path + " is not 32 octets in base64; remove it to have a new one made");
  }
  return Secret(std::move(*octets));
}

}  // namespace postkeep::auth
