// FileName: the name of a message's file in cur/ or new/, taken apart and put together.
//
//   <time>.<unique>.<host>,S=<octets>,P=<uidvalidity>-<uid>:2,<flags>
//
// Names by other programs are taken as they are: fields that we do not know (W=, mbsync's U=) and flag letters
// that mean nothing to us are kept. Used by the store, reconciliation and the flag writer. Pure.
// https://cr.yp.to/proto/maildir.html
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/mail/date_time.h"
#include "protocol/mail/flags.h"
#include "protocol/mail/ids.h"

namespace postkeep::storage::maildir {

// The P field: whose UID this is. Counts only in a folder of that UIDVALIDITY.
struct UidTag {
  UidValidity uid_validity;
  Uid uid;
  bool operator==(const UidTag&) const = default;
};

inline constexpr int keyword_letters_max = 26;  // 'a' to 'z', one for each row of the folder's keyword table

// The letters after ":2,". What a lower-case letter means stands in the folder's keyword table.
struct NameFlags {
  std::uint8_t system_bits = 0;    // SystemFlag: D draft, F flagged, R answered, S seen, T deleted
  bool forwarded = false;          // P: the keyword $Forwarded
  std::uint32_t keyword_bits = 0;  // bit 0 is 'a'
  std::string unknown;             // other capitals, sorted: kept, never shown

  static NameFlags from_letters(std::string_view letters);  // anything that is no letter is left out
  std::string letters() const;                              // in ASCII order, each once
  bool operator==(const NameFlags&) const = default;
};

// A value. `base` identifies the message's file among those of its folder through all renames.
struct FileName {
  std::string base;       // up to the first ',' or ':'
  std::string fields;     // from there up to the ':': ",S=12,P=64-2", or ""
  bool has_info = false;  // ":2," is there; files in new/ usually have none
  NameFlags flags;
  std::string info_rest;  // what stood in the info part beside flags: of another version, or from a second ','

  // What is no message is empty, or has a leading dot.
  static bool is_message(std::string_view name) { return !name.empty() && name.front() != '.'; }
  // nullopt for what is no message. Never fails otherwise.
  static std::optional<FileName> parse(std::string_view name);
  // A new message of ours; with ":2," always, since it lives in cur/.
  static FileName make(std::string base, std::uint64_t octets, UidTag tag, NameFlags flags);
  std::string to_string() const;

  std::optional<UnixTime> time() const;       // the number that the name starts with: the save date
  std::optional<std::uint64_t> size() const;  // S=; of files that others named never to be believed
  std::optional<UidTag> tag() const;          // P=, if well formed
  void set_tag(UidTag tag);                   // replaces P= or adds it
  bool operator==(const FileName&) const = default;
};

// `name` with other flags and everything else as it is: what a flag change renames a file to.
std::string with_flags(std::string_view name, const NameFlags& flags);

// Makes the bases of new names. Unique in the process, and for practical purposes in the world: time, process,
// counter, a random number drawn once. Thread-safe.
class NameMaker {
 public:
  // `host` may be anything; '/', ':', ',' and what is not printable are replaced, and it is cut to 64 octets.
  explicit NameMaker(std::string_view host);
  // "<seconds>.M<microseconds>P<process>V<random>Q<counter>.<host>". Also the file's name in tmp/.
  std::string make_base(std::chrono::sys_time<std::chrono::microseconds> now);

 private:
  std::string fixed_;  // "P<process>V<random>Q"
  std::string host_;
};

}  // namespace postkeep::storage::maildir
