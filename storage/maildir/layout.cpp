#include "storage/maildir/layout.h"

#include <algorithm>
#include <cstdint>

#include "protocol/base/ascii.h"

namespace postkeep::storage::maildir {
namespace {

constexpr char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

// Stands as itself in a directory name. RFC 3501 §5.1.3 has all printable ASCII here; in a directory name '.' is
// the separator, '~' would be a home directory to a careless shell, '/' cannot be.
bool is_direct(char c) { return c >= 0x20 && c < 0x7f && c != '.' && c != '~' && c != '/'; }

// One code point of valid UTF-8 from `at` on, which is moved past it.
char32_t take_code_point(std::string_view utf8, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(utf8[at++]);
  int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  char32_t value = more == 0 ? lead : lead & (0x3fU >> more);
  for (; more > 0 && at < utf8.size(); --more) value = value << 6 | (static_cast<unsigned char>(utf8[at++]) & 0x3fU);
  return value;
}

void put_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t octet) { out += static_cast<char>(octet); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0 | c >> 12);
    } else {
      put(0xf0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3f));
    }
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

// Base64 without padding of UTF-16, most significant octet first.
std::string encode_units(const std::vector<std::uint16_t>& units) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::uint16_t unit : units) {
    bits = bits << 16 | unit;
    count += 16;
    for (; count >= 6; count -= 6) out += base64_digits[bits >> (count - 6) & 63];
    bits &= (1U << count) - 1;
  }
  if (count > 0) out += base64_digits[bits << (6 - count) & 63];
  return out;
}

std::string encode_component(std::string_view utf8) {
  std::string out;
  std::size_t at = 0;
  while (at < utf8.size()) {
    if (is_direct(utf8[at])) {
      out += utf8[at];
      if (utf8[at++] == '&') out += '-';
      continue;
    }
    std::vector<std::uint16_t> units;
    while (at < utf8.size() && !is_direct(utf8[at])) {
      const char32_t c = take_code_point(utf8, at);
      if (c >= 0x10000) {
        units.push_back(static_cast<std::uint16_t>(0xd800 + ((c - 0x10000) >> 10)));
        units.push_back(static_cast<std::uint16_t>(0xdc00 + ((c - 0x10000) & 0x3ff)));
      } else {
        units.push_back(static_cast<std::uint16_t>(c));
      }
    }
    out += "&" + encode_units(units) + "-";
  }
  return out;
}

// The characters of one shift, appended; false if it is no base64 of whole UTF-16. What is not canonical is found
// by the caller, who encodes the result again and compares.
bool decode_shift(std::string_view digits, std::string& out) {
  std::uint32_t bits = 0;
  int count = 0;
  char32_t high = 0;
  for (const char digit : digits) {
    const std::size_t value = std::string_view(base64_digits).find(digit);
    if (value == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 16) continue;
    const char32_t unit = bits >> (count - 16) & 0xffff;
    count -= 16;
    bits &= (1U << count) - 1;
    const bool is_high = unit >= 0xd800 && unit < 0xdc00;
    const bool is_low = unit >= 0xdc00 && unit < 0xe000;
    if ((high != 0) != is_low) return false;
    if (is_high) {
      high = unit;
    } else {
      put_utf8(out, is_low ? 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00) : unit);
      high = 0;
    }
  }
  return high == 0;
}

std::optional<std::string> decode_component(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] != '&') {
      if (!is_direct(text[at])) return std::nullopt;
      out += text[at++];
      continue;
    }
    const std::size_t end = text.find('-', at);
    if (end == std::string_view::npos) return std::nullopt;
    if (end == at + 1) {
      out += '&';
    } else if (!decode_shift(text.substr(at + 1, end - at - 1), out)) {
      return std::nullopt;
    }
    at = end + 1;
  }
  return out;
}

bool is_plain_in_user(std::string_view user, std::size_t at) {
  const char c = user[at];
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  if (c == '.') return at != 0;  // no hidden directory, no "." and ".."
  return c == '@' || c == '+' || c == '=' || c == '_' || c == '-';
}

}  // namespace

Result<std::string> folder_directory(const MailboxName& name) {
  if (name.is_inbox()) return std::string();
  std::string directory;
  for (const std::string_view component : name.components()) directory += "." + encode_component(component);
  if (directory.size() > directory_name_octets_max) return failure(ErrorKind::cannot, "The mailbox name is too long");
  return directory;
}

std::optional<MailboxName> mailbox_of_directory(std::string_view directory) {
  if (directory.size() < 2 || directory.front() != '.') return std::nullopt;
  std::string utf8;
  for (std::size_t at = 1; at <= directory.size();) {
    const std::size_t end = std::min(directory.find('.', at), directory.size());
    const std::optional<std::string> component = decode_component(directory.substr(at, end - at));
    // A '/' that came out of a shift would be a separator; refused, since it would be encoded otherwise.
    if (!component || component->empty() || component->find('/') != std::string::npos) return std::nullopt;
    if (!utf8.empty()) utf8 += '/';
    utf8 += *component;
    at = end + 1;
  }
  const Result<MailboxName> name = MailboxName::from_utf8(utf8);
  if (!name) return std::nullopt;
  // Only the one spelling that we would write ourselves, so that no two directories are one mailbox.
  const Result<std::string> again = folder_directory(*name);
  if (!again || *again != directory) return std::nullopt;
  return *name;
}

Result<std::string> user_directory(std::string_view user) {
  std::string out;
  for (std::size_t i = 0; i < user.size(); ++i) {
    if (is_plain_in_user(user, i)) {
      out += user[i];
    } else {
      const auto octet = static_cast<unsigned char>(user[i]);
      out += {'%', ascii::upper_hex_digits[octet >> 4], ascii::upper_hex_digits[octet & 15]};
    }
  }
  if (out.empty() || out.size() > directory_name_octets_max) {
    return failure(ErrorKind::cannot, "The user name cannot be used", "user name of " + std::to_string(user.size()));
  }
  return out;
}

std::optional<std::string> user_of_directory(std::string_view directory) {
  std::string user;
  for (std::size_t i = 0; i < directory.size(); ++i) {
    if (directory[i] != '%') {
      user += directory[i];
      continue;
    }
    if (directory.size() - i < 3) return std::nullopt;
    const std::size_t high = ascii::upper_hex_digits.find(directory[i + 1]);
    const std::size_t low = ascii::upper_hex_digits.find(directory[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    user += static_cast<char>(high << 4 | low);
    i += 2;
  }
  const Result<std::string> again = user_directory(user);
  if (!again || *again != directory) return std::nullopt;
  return user;
}

Result<FolderListing> list_folders(FileSystem& files, const std::string& account_path) {
  const std::vector<std::string> names = TRY(files.list(account_path));
  FolderListing listing;
  listing.folders.push_back(Folder{MailboxName::inbox(), ""});
  for (const std::string& name : names) {
    if (name.size() < 2 || name.front() != '.') continue;
    const Result<FileInfo> info = files.info(folder_path(account_path, name));
    if (!info && info.error().kind != ErrorKind::not_found) return tl::unexpected<Error>(info.error());
    if (!info || info->type != FileInfo::Type::directory) continue;
    if (std::optional<MailboxName> mailbox = mailbox_of_directory(name)) {
      listing.folders.push_back(Folder{std::move(*mailbox), name});
    } else {
      listing.ignored.push_back(name);
    }
  }
  std::sort(listing.folders.begin() + 1, listing.folders.end(),
            [](const Folder& a, const Folder& b) { return a.name < b.name; });
  std::sort(listing.ignored.begin(), listing.ignored.end());
  return listing;
}

std::string folder_path(const std::string& account_path, const std::string& directory) {
  return directory.empty() ? account_path : account_path + "/" + directory;
}

}  // namespace postkeep::storage::maildir
