#include "storage/message_columns.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/base/ensure.h"
#include "protocol/mail/date_time.h"
#include "protocol/mime/collation_keys.h"
#include "protocol/mime/encoded_words.h"
#include "protocol/text/casemap.h"
#include "storage/digest.h"

namespace postkeep::storage {
namespace {

using Kind = Column::Kind;

// Messages of a piece that grows at its end, so that one delivery after another does not leave a piece each.
constexpr std::size_t piece_messages = 1024;

// Of a field_text: a longer one is a list of recipients, and is read from its row when somebody looks for a word in it.
constexpr std::size_t field_text_octets_max = 4096;

// By a key of this process, so that nobody can choose what collides.
Hash128 hash_of_id(const std::string& id) {
  static const KeyedHash::Key key = [] {
    KeyedHash::Key octets{};
    std::random_device random;
    for (std::uint8_t& octet : octets) octet = static_cast<std::uint8_t>(random());
    return octets;
  }();
  thread_local KeyedHash hash(key);
  return id.empty() ? Hash128() : hash.of(id);
}

std::vector<Hash128> thread_ids_of(std::span<const mime::HeaderField> fields) {
  std::vector<Hash128> ids{hash_of_id(mime::message_id_of(fields))};
  for (const std::string& id : mime::references_of(fields)) ids.push_back(hash_of_id(id));
  return ids;
}

std::int64_t sent_day_of(std::span<const mime::HeaderField> fields) {
  const mime::HeaderField* field = mime::find_field(fields, "date");
  const std::optional<ZonedTime> date = field == nullptr ? std::nullopt : parse_rfc5322_date(field->value);
  return date ? std::int64_t{date->local_day().days} : Column::none;
}

// The columns of SORT's texts but for the subject, which has a mark beside it.
constexpr std::pair<Kind, SortKey> sort_texts[] = {
    {Kind::cc, SortKey::cc},
    {Kind::from, SortKey::from},
    {Kind::to, SortKey::to},
    {Kind::display_from, SortKey::display_from},
    {Kind::display_to, SortKey::display_to},
};

SortKey sort_key_of(Kind kind) {
  const auto text =
      std::find_if(std::begin(sort_texts), std::end(sort_texts), [&](auto each) { return each.first == kind; });
  ENSURE(text != std::end(sort_texts), "a column of SORT's");
  return text->second;
}

std::size_t octets_of(const ColumnPieces& pieces) {
  std::size_t octets = 0;
  for (const auto& piece : pieces) octets += piece->memory_bytes();
  return octets;
}

// Both in one, ascending. They have no message in common.
ColumnPiece merged(const ColumnPiece& a, const ColumnPiece& b) {
  ColumnPiece all;
  std::size_t i = 0;
  std::size_t k = 0;
  while (i < a.size() || k < b.size()) {
    if (k == b.size() || (i < a.size() && a.uid(i) < b.uid(k))) {
      all.add_from(a, i++);
    } else {
      all.add_from(b, k++);
    }
  }
  return all;
}

// `pieces` with one more. Those that it reaches into become one with it, and so does a small one before it.
ColumnPieces with_piece(ColumnPieces pieces, ColumnPiece added) {
  if (added.size() == 0) return pieces;
  const auto ends_before = [](const auto& piece, Uid uid) { return piece->last() < uid; };
  auto first = std::lower_bound(pieces.begin(), pieces.end(), added.first(), ends_before);
  auto last = first;
  while (last != pieces.end() && (*last)->first() < added.last()) ++last;
  if (first == last && first != pieces.begin() && (*(first - 1))->size() + added.size() <= piece_messages) --first;
  for (auto piece = first; piece != last; ++piece) added = merged(**piece, added);
  added.pack();
  const auto place = pieces.erase(first, last);
  pieces.insert(place, std::make_shared<const ColumnPiece>(std::move(added)));
  return pieces;
}

ColumnPieces part_of(const ColumnPieces& pieces, const UidSet& uids) {
  const auto ends_before = [](const auto& piece, Uid uid) { return piece->last() < uid; };
  const auto first = std::lower_bound(pieces.begin(), pieces.end(), uids.min(), ends_before);
  const auto last = std::find_if(first, pieces.end(), [&](const auto& piece) { return piece->first() > uids.max(); });
  return ColumnPieces(first, last);
}

}  // namespace

std::optional<Column> Column::of_field(std::string_view name) {
  const std::vector<std::string>& names = cached_header_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return Column{Kind::field_text, static_cast<std::uint8_t>(found - names.begin())};
}

Column column_of(SortKey key) {
  for (const auto& [kind, sort_key] : sort_texts) {
    if (sort_key == key) return Column{kind};
  }
  return Column{Kind::base_subject};
}

std::size_t ColumnPiece::lower_bound(Uid uid, std::size_t from) const {
  const auto begin = uids_.begin() + static_cast<std::ptrdiff_t>(from);
  return static_cast<std::size_t>(std::lower_bound(begin, uids_.end(), uid) - uids_.begin());
}

std::string_view ColumnPiece::text(std::size_t at) const {
  return std::string_view(text_).substr(begin_of(at), ends_[at] - begin_of(at));
}

std::span<const Hash128> ColumnPiece::ids(std::size_t at) const {
  return std::span(ids_).subspan(begin_of(at), ends_[at] - begin_of(at));
}

void ColumnPiece::add_number(Uid uid, std::int64_t value) {
  uids_.push_back(uid);
  numbers_.push_back(value);
}

void ColumnPiece::add_text(Uid uid, std::string_view text, bool mark) {
  uids_.push_back(uid);
  text_ += text;
  ENSURE(text_.size() <= UINT32_MAX, "pieces are small");
  ends_.push_back(static_cast<std::uint32_t>(text_.size()));
  marks_.push_back(mark ? 1 : 0);
}

void ColumnPiece::add_ids(Uid uid, std::span<const Hash128> ids) {
  uids_.push_back(uid);
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  ends_.push_back(static_cast<std::uint32_t>(ids_.size()));
}

void ColumnPiece::add_from(const ColumnPiece& other, std::size_t at) {
  if (!other.numbers_.empty()) {
    add_number(other.uid(at), other.number(at));
  } else if (!other.marks_.empty()) {
    add_text(other.uid(at), other.text(at), other.mark(at));
  } else {
    add_ids(other.uid(at), other.ids(at));
  }
}

void ColumnPiece::pack() {
  uids_.shrink_to_fit();
  numbers_.shrink_to_fit();
  ends_.shrink_to_fit();
  text_.shrink_to_fit();
  marks_.shrink_to_fit();
  ids_.shrink_to_fit();
}

std::size_t ColumnPiece::memory_bytes() const {
  return sizeof *this + uids_.capacity() * sizeof(Uid) + numbers_.capacity() * sizeof(std::int64_t) +
         ends_.capacity() * sizeof(std::uint32_t) + text_.capacity() + marks_.capacity() +
         ids_.capacity() * sizeof(Hash128);
}

bool ColumnCursor::find(Uid uid) {
  if (pieces_ == nullptr) return false;
  while (piece_ < pieces_->size() && piece().last() < uid) {
    ++piece_;
    at_ = 0;
  }
  if (piece_ == pieces_->size()) return false;
  if (piece().uid(at_) < uid) ++at_;  // which is there, since the last one is not smaller
  if (piece().uid(at_) < uid) at_ = piece().lower_bound(uid, at_);
  return piece().uid(at_) == uid;
}

void ColumnBuilder::add_row(Uid uid, UnixTime internal_date, UnixTime save_date, std::uint64_t size) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].kind == Kind::size) pieces_[i].add_number(uid, static_cast<std::int64_t>(size));
    if (columns_[i].kind == Kind::internal_date) pieces_[i].add_number(uid, internal_date.seconds);
    if (columns_[i].kind == Kind::save_date) pieces_[i].add_number(uid, save_date.seconds);
  }
}

void ColumnBuilder::read_fields(std::string_view header) {
  fields_.clear();
  mime::HeaderReader reader(header);
  for (mime::HeaderField field; reader.next(field);) fields_.push_back(field);
}

void ColumnBuilder::add_header(Uid uid, std::string_view header) {
  read_fields(header);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!is_of_row(columns_[i])) add_field(i, uid);
  }
}

void ColumnBuilder::add_large_header(Uid uid, std::string_view header) {
  read_fields(header);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!is_of_row(columns_[i]) && columns_[i].kind != Kind::field_text) add_field(i, uid);
  }
}

void ColumnBuilder::add_field(std::size_t column, Uid uid) {
  ColumnPiece& piece = pieces_[column];
  switch (const Kind kind = columns_[column].kind; kind) {
    case Kind::sent_date:
      return piece.add_number(uid, mime::sent_date(fields_, UnixTime{Column::none}).seconds);
    case Kind::sent_day:
      return piece.add_number(uid, sent_day_of(fields_));
    case Kind::base_subject: {
      const mime::ThreadSubject subject = mime::thread_subject(fields_);
      return piece.add_text(uid, subject.key, subject.is_reply);
    }
    case Kind::thread_ids:
      return piece.add_ids(uid, thread_ids_of(fields_));
    case Kind::field_text:
      break;
    default:
      return piece.add_text(uid, mime::collation_key(sort_key_of(kind), fields_), false);
  }
  text_.clear();
  const std::string& name = cached_header_names()[columns_[column].field];
  for (const mime::HeaderField& field : fields_) {
    if (!ascii::iequals(field.name, name)) continue;
    text::fold_into(mime::decode_header_text(field.value), text_);
    text_ += Column::field_end;
  }
  if (text_.size() <= field_text_octets_max) piece.add_text(uid, text_, false);
}

void ColumnBuilder::add_from(const ColumnBuilder& other) {
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (other.pieces_[i].size() > 0) pieces_[i].add_from(other.pieces_[i], 0);
  }
}

UidSet MessageColumns::missing(Column column, const UidSet& uids) const {
  const auto known = known_.find(column);
  return known == known_.end() ? uids : uids.subtract(known->second.uids);
}

ColumnPieces MessageColumns::pieces(Column column, const UidSet& uids) const {
  const auto known = known_.find(column);
  return known == known_.end() ? ColumnPieces() : part_of(known->second.pieces, uids);
}

ColumnPieces MessageColumns::add(Column column, ColumnPiece piece, const UidSet& uids, const UidSet& all,
                                 std::span<const Column> in_use) {
  Known known;
  if (const auto found = known_.find(column); found != known_.end()) known = found->second;
  const std::size_t before = octets_of(known.pieces);
  known.pieces = with_piece(std::move(known.pieces), std::move(piece));
  ColumnPieces part = part_of(known.pieces, all);
  const std::size_t after = octets_of(known.pieces);
  const auto fits = [&] { return octets_ + after <= column_octets_max + before; };
  if (!fits()) drop_others(in_use);
  if (!fits()) return part;
  known.uids = known.uids.union_with(uids);
  known_[column] = std::move(known);
  octets_ += after - before;
  own_octets_ += after - before;
  return part;
}

void MessageColumns::drop_others(std::span<const Column> in_use) {
  for (auto known = known_.begin(); known != known_.end();) {
    if (std::find(in_use.begin(), in_use.end(), known->first) != in_use.end()) {
      ++known;
      continue;
    }
    const std::size_t octets = octets_of(known->second.pieces);
    octets_ -= octets;
    own_octets_ -= octets;
    known = known_.erase(known);
  }
}

void MessageColumns::clear() {
  known_.clear();
  octets_ -= own_octets_;
  own_octets_ = 0;
}

}  // namespace postkeep::storage
