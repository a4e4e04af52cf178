#include "storage/search_eval.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/ascii.h"
#include "protocol/mime/encoded_words.h"
#include "protocol/mime/header_fields.h"
#include "protocol/mime/places.h"
#include "protocol/mime/search_text.h"
#include "protocol/mime/structure.h"
#include "protocol/text/casemap.h"
#include "storage/message_facts.h"
#include "storage/needle_filter.h"
#include "storage/substring_search.h"

namespace postkeep::storage {
namespace search_detail {

using Kind = SearchKey::Kind;

// What must be known to answer a key, cheapest first.
enum class Cost { state, row, header, text };

// Message text in memory at a time.
constexpr std::size_t read_octets = 256 * 1024;

Cost cost_of(const SearchKey& key) {
  switch (key.kind) {
    case Kind::before:
    case Kind::on:
    case Kind::since:
    case Kind::saved_before:
    case Kind::saved_on:
    case Kind::saved_since:
    case Kind::older:
    case Kind::younger:
    case Kind::larger:
    case Kind::smaller:
    case Kind::email_id:
    case Kind::thread_id:
      return Cost::row;
    case Kind::header:
    case Kind::from:
    case Kind::to:
    case Kind::cc:
    case Kind::bcc:
    case Kind::subject:
    case Kind::sent_before:
    case Kind::sent_on:
    case Kind::sent_since:
      return Cost::header;
    case Kind::body:
    case Kind::text:
      return key.needle.empty() ? Cost::state : Cost::text;
    default:
      return Cost::state;
  }
}

Cost cost_of_all(const SearchKey& key) {
  Cost cost = cost_of(key);
  for (const SearchKey& child : key.children) cost = std::max(cost, cost_of_all(child));
  return cost;
}

// The header field that a key looks into; empty for keys that look into none.
std::string field_of(const SearchKey& key) {
  switch (key.kind) {
    case Kind::header:
      return ascii::to_lower(key.text);
    case Kind::from:
      return "from";
    case Kind::to:
      return "to";
    case Kind::cc:
      return "cc";
    case Kind::bcc:
      return "bcc";
    case Kind::subject:
      return "subject";
    case Kind::sent_before:
    case Kind::sent_on:
    case Kind::sent_since:
      return "date";
    default:
      return {};
  }
}

// A key made ready: its needle folded, its children in order of cost.
struct Node {
  SearchKey key;  // without its children
  Cost cost = Cost::state;
  std::string field;       // lower case
  std::string needle;      // folded
  std::size_t column = 0;  // where has_column: its place in Plan::columns
  bool has_column = false;
  std::size_t text_number = 0;  // where cost is text and there are no children: its place in Plan::text_needles
  std::vector<Node> children;
};

struct TextNeedle {
  TextNeedle(std::string folded, bool is_body_only) : needle(folded), body_only(is_body_only), filter(folded) {}
  bool is_wanted_in(mime::SearchArea area) const { return area == mime::SearchArea::body || !body_only; }

  std::string needle;  // folded
  bool body_only;
  NeedleFilter filter;
};

// What of a message's text matters to needles that were not found yet.
class WantedText final : public mime::SearchTextFilter {
 public:
  // Both outlive it, and are in the same order.
  WantedText(const std::vector<TextNeedle>& needles, const std::vector<SubstringSearch>& searches)
      : needles_(needles), searches_(searches) {}

  bool wants(mime::SearchArea area) const override {
    return is_any([&](const TextNeedle& needle) { return needle.is_wanted_in(area); });
  }
  bool may_be_in(mime::SearchArea area, std::string_view raw) const override {
    return is_any([&](const TextNeedle& needle) { return needle.is_wanted_in(area) && needle.filter.may_be_in(raw); });
  }
  // Can it be said part by part?
  bool works() const {
    return std::all_of(needles_.begin(), needles_.end(),
                       [](const TextNeedle& needle) { return needle.filter.works_by_parts(); });
  }

 private:
  template <class Is>
  bool is_any(Is&& is) const {
    for (std::size_t i = 0; i < needles_.size(); ++i) {
      if (!searches_[i].found() && is(needles_[i])) return true;
    }
    return false;
  }

  const std::vector<TextNeedle>& needles_;
  const std::vector<SubstringSearch>& searches_;
};

struct Plan {
  Node root;
  UnixTime now;
  FetchWants wants;
  bool wants_row = false;
  bool may_read = false;
  std::vector<Column> columns;
  std::vector<TextNeedle> text_needles;  // all of the tree: one pass over the text answers them together

  Node make_node(const SearchKey& key);
  void note_needs(Node& node);
  void note_column(Node& leaf);
};

// The column that answers a key alone; none: there is no such column.
std::optional<Column> column_of_key(const Node& leaf) {
  switch (leaf.key.kind) {
    case Kind::larger:
    case Kind::smaller:
      return Column{Column::Kind::size};
    case Kind::before:
    case Kind::on:
    case Kind::since:
    case Kind::older:
    case Kind::younger:
      return Column{Column::Kind::internal_date};
    case Kind::saved_before:
    case Kind::saved_on:
    case Kind::saved_since:
      return Column{Column::Kind::save_date};
    case Kind::sent_before:
    case Kind::sent_on:
    case Kind::sent_since:
      return Column{Column::Kind::sent_day};
    default:
      return leaf.cost == Cost::header ? Column::of_field(leaf.field) : std::nullopt;
  }
}

void Plan::note_column(Node& leaf) {
  const std::optional<Column> column = column_of_key(leaf);
  if (!column) return;
  const auto place = std::find(columns.begin(), columns.end(), *column);
  leaf.column = static_cast<std::size_t>(place - columns.begin());
  leaf.has_column = true;
  if (place == columns.end()) columns.push_back(*column);
}

Node Plan::make_node(const SearchKey& key) {
  Node node;
  node.key = key;
  node.key.children.clear();
  node.cost = cost_of(key);
  node.field = field_of(key);
  node.needle = text::fold(key.needle);
  for (const SearchKey& child : key.children) {
    node.children.push_back(make_node(child));
    node.cost = std::max(node.cost, node.children.back().cost);
  }
  std::stable_sort(node.children.begin(), node.children.end(),
                   [](const Node& a, const Node& b) { return a.cost < b.cost; });
  if (node.children.empty()) {
    note_needs(node);
    note_column(node);
  }
  return node;
}

void Plan::note_needs(Node& leaf) {
  const Kind kind = leaf.key.kind;
  if (leaf.cost == Cost::text) {
    leaf.text_number = text_needles.size();
    text_needles.emplace_back(leaf.needle, kind == Kind::body);
  } else if (leaf.cost == Cost::row) {
    const bool is_id = kind == Kind::email_id || kind == Kind::thread_id;
    const bool is_size = kind == Kind::larger || kind == Kind::smaller;
    wants.object_ids = wants.object_ids || is_id;
    wants.size = wants.size || is_size;
    wants.dates = wants.dates || (!is_id && !is_size);
  } else if (leaf.cost == Cost::header) {
    wants.headers = wants.headers || is_cached_header(leaf.field);
  }
  // Cached fields may need the message too: a header that is too large is not cached.
  may_read = may_read || leaf.cost == Cost::header || leaf.cost == Cost::text;
  wants_row = wants.object_ids || wants.size || wants.dates || wants.headers;
}

bool day_matches(Kind kind, Day day, Day wanted) {
  switch (kind) {
    case Kind::before:
    case Kind::saved_before:
    case Kind::sent_before:
      return day < wanted;
    case Kind::on:
    case Kind::saved_on:
    case Kind::sent_on:
      return day == wanted;
    default:
      return day >= wanted;
  }
}

// Is the needle in one of the fields of a field_text? The empty one is in each. memmem is linear, whatever the needle,
// but takes its time to begin, so that short texts are quicker without.
bool has_needle(std::string_view fields, std::string_view needle) {
  constexpr std::size_t short_octets = 256;
  if (needle.empty()) return !fields.empty();
  if (fields.size() <= short_octets) return fields.find(needle) != fields.npos;
  return memmem(fields.data(), fields.size(), needle.data(), needle.size()) != nullptr;
}

// One message under one plan: gets each fact at most once.
class Examination {
 public:
  Examination(const Plan& plan, SearchSubject& subject) : plan_(plan), subject_(subject) {}
  Result<bool> matches(const Node& node);

 private:
  Result<bool> matches_state(const SearchKey& key);
  Result<bool> matches_row(const Node& node);
  bool matches_number(const SearchKey& key, std::int64_t value) const;
  Result<bool> matches_header(const Node& node);
  Result<bool> matches_text(const Node& node);

  Outcome get_row();
  Outcome open();
  Outcome read_header();
  Outcome search_text();
  Result<mime::Part> read_structure();
  Outcome search_message(std::vector<SubstringSearch>& searches);
  template <class Take>
  Outcome read_all(Take&& take);  // take(bytes) returns false to stop

  const Plan& plan_;
  SearchSubject& subject_;
  const MessageRow* row_ = nullptr;
  std::unique_ptr<MessageReader> reader_;
  std::optional<std::string> header_;
  std::optional<std::string> whole_;  // of a message of at most read_octets
  std::optional<std::vector<SubstringSearch>> text_searches_;
};

Result<bool> Examination::matches(const Node& node) {
  switch (node.key.kind) {
    case Kind::and_:
      for (const Node& child : node.children) {
        if (!TRY(matches(child))) return false;
      }
      return true;
    case Kind::or_:
      for (const Node& child : node.children) {
        if (TRY(matches(child))) return true;
      }
      return false;
    case Kind::not_:
      return !TRY(matches(node.children.at(0)));
    default:
      break;
  }
  switch (node.cost) {
    case Cost::state:
      return matches_state(node.key);
    case Cost::row:
      return matches_row(node);
    case Cost::header:
      return matches_header(node);
    case Cost::text:
      break;
  }
  return matches_text(node);
}

Result<bool> Examination::matches_state(const SearchKey& key) {
  switch (key.kind) {
    case Kind::all:
    case Kind::save_date_supported:
    case Kind::body:  // with an empty needle, which every text contains
    case Kind::text:
      return true;
    case Kind::has_flag:
      return subject_.flags().has(key.flag);
    case Kind::lacks_flag:
      return !subject_.flags().has(key.flag);
    case Kind::has_keyword:
      return subject_.flags().has_keyword(key.text);
    case Kind::lacks_keyword:
      return !subject_.flags().has_keyword(key.text);
    case Kind::uid_set:
      return key.uids.contains(subject_.uid());
    case Kind::modseq:
      return subject_.modseq().value() >= key.number;
    default:
      return failure(ErrorKind::server_bug, "Internal error", "a search key of the session reached storage");
  }
}

Result<bool> Examination::matches_row(const Node& node) {
  const SearchKey& key = node.key;
  if (node.has_column) {
    if (const std::optional<std::int64_t> known = subject_.number(node.column)) return matches_number(key, *known);
  }
  TRY(get_row());
  switch (key.kind) {
    case Kind::email_id:
      return to_wire(row_->email_id) == key.text;
    case Kind::thread_id:
      return to_wire(row_->thread_id) == key.text;
    case Kind::larger:
    case Kind::smaller:
      return matches_number(key, static_cast<std::int64_t>(row_->size));
    case Kind::saved_before:
    case Kind::saved_on:
    case Kind::saved_since:
      return matches_number(key, row_->save_date.seconds);
    default:
      return matches_number(key, row_->internal_date.seconds);
  }
}

// `value`: the size, the time, or the day, as the key asks.
bool Examination::matches_number(const SearchKey& key, std::int64_t value) const {
  const auto seconds = static_cast<std::int64_t>(std::min<std::uint64_t>(key.number, UINT32_MAX));
  switch (key.kind) {
    case Kind::larger:
      return static_cast<std::uint64_t>(value) > key.number;
    case Kind::smaller:
      return static_cast<std::uint64_t>(value) < key.number;
    case Kind::older:  // RFC 5032 §2: both include the border
      return value <= plan_.now.seconds - seconds;
    case Kind::younger:
      return value >= plan_.now.seconds - seconds;
    case Kind::sent_before:
    case Kind::sent_on:
    case Kind::sent_since:
      // A message without a date that can be read is sent on no day: it matches none of the three.
      return value != Column::none && day_matches(key.kind, Day{static_cast<std::int32_t>(value)}, key.day);
    default:
      return day_matches(key.kind, day_of(UnixTime{value}), key.day);
  }
}

Result<bool> Examination::matches_header(const Node& node) {
  if (node.has_column && plan_.columns[node.column].kind == Column::Kind::sent_day) {
    if (const std::optional<std::int64_t> known = subject_.number(node.column)) return matches_number(node.key, *known);
  } else if (node.has_column) {
    if (const std::optional<std::string_view> known = subject_.text(node.column))
      return has_needle(*known, node.needle);
  }
  const bool cached = is_cached_header(node.field);
  if (cached) TRY(get_row());
  std::string_view header;
  if (cached && row_->cached_headers) {
    header = *row_->cached_headers;
  } else {
    TRY(read_header());
    header = *header_;
  }
  const bool is_date = node.field == "date" && node.key.kind != Kind::header;
  mime::HeaderReader fields(header);
  mime::HeaderField field;
  while (fields.next(field)) {
    if (!ascii::iequals(field.name, node.field)) continue;
    if (is_date) {
      const std::optional<ZonedTime> date = parse_rfc5322_date(field.value);
      return matches_number(node.key, date ? std::int64_t{date->local_day().days} : Column::none);
    }
    if (text::fold(mime::decode_header_text(field.value)).find(node.needle) != std::string::npos) return true;
  }
  return false;
}

Result<bool> Examination::matches_text(const Node& node) {
  if (!text_searches_) TRY(search_text());
  return (*text_searches_)[node.text_number].found();
}

Outcome Examination::get_row() {
  if (row_ == nullptr) row_ = TRY(subject_.row());
  return {};
}

Outcome Examination::open() {
  if (!reader_) reader_ = TRY(subject_.open());
  return {};
}

Outcome Examination::read_header() {
  if (header_) return {};
  TRY(open());
  header_ = TRY(read_header_block(*reader_));
  return {};
}

template <class Take>
Outcome Examination::read_all(Take&& take) {
  TRY(open());
  if (!whole_ && reader_->size() <= read_octets) {
    whole_.emplace();
    TRY(reader_->read(0, read_octets, *whole_));
  }
  if (whole_) {
    take(*whole_);
    return {};
  }
  std::string piece;
  for (std::uint64_t offset = 0; offset < reader_->size(); offset += piece.size()) {
    piece.clear();
    TRY(reader_->read(offset, read_octets, piece));
    if (piece.empty() || !take(piece)) break;
  }
  return {};
}

// All needles of the tree in one pass over the text. Where the parts lie has to be known before, so a message larger
// than read_octets is read twice; both times in pieces.
Outcome Examination::search_text() {
  std::vector<SubstringSearch> searches;
  for (const TextNeedle& wanted : plan_.text_needles) searches.emplace_back(wanted.needle);
  if (const std::optional<StoredText> stored = subject_.stored_text()) {
    for (std::size_t i = 0; i < searches.size(); ++i) {
      const std::size_t skipped = plan_.text_needles[i].body_only ? stored->header_octets : 0;
      searches[i].feed(std::string_view(stored->text).substr(skipped));
    }
    text_searches_ = std::move(searches);
    return {};
  }
  TRY(search_message(searches));
  text_searches_ = std::move(searches);
  return {};
}

// Where its text lies.
Result<mime::Part> Examination::read_structure() {
  std::optional<mime::Part> root;
  mime::StructureParser parser;
  TRY(read_all([&](std::string_view bytes) {
    if (whole_) root = mime::find_places(bytes);
    if (!root) parser.feed(bytes);
    return true;
  }));
  return root ? *std::move(root) : parser.finish();
}

Outcome Examination::search_message(std::vector<SubstringSearch>& searches) {
  const mime::Part root = TRY(read_structure());
  const WantedText wanted(plan_.text_needles, searches);
  std::string folded;
  const mime::SearchTextSink look = [&](mime::SearchArea area, std::string_view utf8) {
    folded.clear();
    text::fold_into(utf8, folded);
    for (std::size_t i = 0; i < searches.size(); ++i) {
      if (plan_.text_needles[i].is_wanted_in(area)) searches[i].feed(folded);
    }
  };
  mime::SearchTextExtractor extractor(root, look, wanted.works() ? &wanted : nullptr);
  TRY(read_all([&](std::string_view bytes) {
    extractor.feed(bytes);
    return !std::all_of(searches.begin(), searches.end(), [](const SubstringSearch& s) { return s.found(); });
  }));
  extractor.finish();
  return {};
}

// The candidates that `node` may match.
Result<UidSet> narrow_by(const Node& node, const UidSet& candidates, const SearchEvaluator::MayContain& may_contain) {
  if (node.cost != Cost::text || node.key.kind == Kind::not_) return candidates;
  UidSet narrowed;
  switch (node.key.kind) {
    case Kind::and_:
      narrowed = candidates;
      for (const Node& child : node.children) {
        if (narrowed.empty()) break;
        narrowed = TRY(narrow_by(child, narrowed, may_contain));
      }
      return narrowed;
    case Kind::or_:
      for (const Node& child : node.children) narrowed.add_all(TRY(narrow_by(child, candidates, may_contain)));
      return narrowed;
    default:
      return candidates.intersect(TRY(may_contain(node.needle)));
  }
}

}  // namespace search_detail

struct SearchEvaluator::Plan : search_detail::Plan {};

SearchEvaluator::SearchEvaluator(const SearchKey& key, UnixTime now) {
  auto plan = std::make_unique<Plan>();
  plan->now = now;
  plan->root = plan->make_node(key);
  plan_ = std::move(plan);
}

SearchEvaluator::~SearchEvaluator() = default;
SearchEvaluator::SearchEvaluator(SearchEvaluator&&) noexcept = default;
SearchEvaluator& SearchEvaluator::operator=(SearchEvaluator&&) noexcept = default;

const FetchWants& SearchEvaluator::wants() const { return plan_->wants; }
bool SearchEvaluator::wants_row() const { return plan_->wants_row; }
const std::vector<Column>& SearchEvaluator::columns() const { return plan_->columns; }
bool SearchEvaluator::wants_text() const { return !plan_->text_needles.empty(); }

Result<UidSet> SearchEvaluator::narrow(const UidSet& candidates, const MayContain& may_contain) const {
  return search_detail::narrow_by(plan_->root, candidates, may_contain);
}

bool SearchEvaluator::may_read_messages() const { return plan_->may_read; }

Result<bool> SearchEvaluator::matches(SearchSubject& subject) const {
  search_detail::Examination examination(*plan_, subject);
  return examination.matches(plan_->root);
}

std::vector<SearchKey> search_stages(const SearchKey& key) {
  if (key.kind != SearchKey::Kind::and_ || key.children.empty()) return {key};
  std::map<search_detail::Cost, SearchKey> stages;
  for (const SearchKey& child : key.children) {
    SearchKey& stage = stages[search_detail::cost_of_all(child)];
    stage.kind = SearchKey::Kind::and_;
    stage.children.push_back(child);
  }
  std::vector<SearchKey> ordered;
  for (auto& [cost, stage] : stages) ordered.push_back(std::move(stage));
  return ordered;
}

}  // namespace postkeep::storage
