#include "server/pop3/maildrop.h"

namespace postkeep::pop3 {

namespace {

constexpr std::uint64_t missing_line_end_octets = 2;  // CRLF, put behind a message that does not end with it

tl::unexpected<Error> no_such_message(const char* text) { return failure(ErrorKind::not_found, text); }

}  // namespace

void Maildrop::add(const storage::MessageRow& row) {
  uids_.push_back(row.uid);
  sizes_.push_back(row.size + (row.ends_in_crlf ? 0 : missing_line_end_octets));
  octets_ += sizes_.back();
}

Maildrop::Message Maildrop::at(std::uint32_t number) const {
  Message message;
  message.uid = uids_[number - 1];
  message.size = sizes_[number - 1];
  return message;
}

Result<Maildrop::Message> Maildrop::find(std::uint32_t number) const {
  if (number < 1 || number > highest()) return no_such_message("No such message");
  if (is_marked(number)) return no_such_message("The message is marked as deleted");
  return at(number);
}

Outcome Maildrop::mark(std::uint32_t number) {
  const Message message = TRY(find(number));
  marked_.resize(uids_.size());
  marked_[number - 1] = true;
  ++marked_count_;
  octets_ -= message.size;
  return {};
}

void Maildrop::unmark_all() {
  for (std::uint32_t number = 1; number <= highest(); ++number) {
    if (is_marked(number)) octets_ += sizes_[number - 1];
  }
  marked_ = std::vector<bool>();
  marked_count_ = 0;
}

UidSet Maildrop::marked() const {
  UidSet uids;
  for (std::uint32_t number = 1; number <= highest(); ++number) {
    if (is_marked(number)) uids.add(uids_[number - 1]);
  }
  return uids;
}

UidSet Maildrop::uids() const {
  UidSet all;
  for (const Uid uid : uids_) all.add(uid);
  return all;
}

}  // namespace postkeep::pop3
