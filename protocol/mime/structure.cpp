#include "protocol/mime/structure.h"

#include <algorithm>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/mime/entity_header.h"
#include "protocol/mime/places.h"

namespace postkeep::mime {
namespace {

// The longest delimiter line: "--", boundary, "--", padding. As much is kept of a line that arrives in pieces.
constexpr std::size_t delimiter_line_max = limits::boundary_octets_max + 100;

enum class Delimiter { none, open, close };

bool is_padding(std::string_view rest) { return rest.find_first_not_of(" \t\r") == rest.npos; }

// Compares a line that starts with "--" with a boundary. RFC 2046 §5.1.1: "--" boundary ["--"] padding. The whole
// line must match: taking any line that merely starts so would let "foo" end at "--foobar".
Delimiter match_exactly(std::string_view line, std::string_view boundary) {
  line.remove_prefix(2);
  if (!line.starts_with(boundary)) return Delimiter::none;
  line.remove_prefix(boundary.size());
  if (is_padding(line)) return Delimiter::open;
  if (line.starts_with("--") && is_padding(line.substr(2))) return Delimiter::close;
  return Delimiter::none;
}

// A boundary cannot end with blanks, but some say so, and transports have taken them away from the lines.
Delimiter match_delimiter(std::string_view line, std::string_view boundary) {
  const Delimiter exact = match_exactly(line, boundary);
  if (exact != Delimiter::none || !boundary.ends_with(' ')) return exact;
  const std::size_t last = boundary.find_last_not_of(" \t\r");
  return match_exactly(line, boundary.substr(0, last + 1));
}

// The boundary as delimiter lines have it; empty if the multipart names none that could be found.
std::string usable_boundary(const Part& part) {
  const Parameter* parameter = find_parameter(part.parameters, "boundary");
  if (parameter == nullptr || parameter->value.size() > limits::boundary_octets_max) return {};
  const bool findable = !is_padding(parameter->value) && parameter->value.find('\n') == std::string::npos;
  return findable ? parameter->value : std::string();
}

// A container that cannot be opened: RFC 2045 §6.4 says to treat it as application/octet-stream.
void make_opaque(Part& part) {
  part.type = "application";
  part.subtype = "octet-stream";
}

// The entities that are open, from the message down to the one whose octets are arriving. Invariants: each Part
// pointed to is the last child of the one before it, so growing the last one's children moves none of them; only
// the last one can be in its header; `position_` and `line_feeds_` stand at the start of the current line.
class TreeBuilder {
 public:
  enum class Detail { everything, places };  // places.h

  TreeBuilder(const Limits& limits, std::vector<std::string> wanted, Detail detail = Detail::everything)
      : limits_(limits), wanted_(std::move(wanted)), detail_(detail) {
    open_entity(root_, Role::message, DefaultType::text_plain, 0);
  }

  void feed(std::string_view bytes) {
    while (!bytes.empty()) {
      if (rest_is_content_) {
        position_ += bytes.size();
        return;
      }
      const std::size_t lf = bytes.find('\n');
      const bool complete = lf != bytes.npos;
      const std::string_view piece = complete ? bytes.substr(0, lf + 1) : bytes;
      bytes.remove_prefix(piece.size());
      if (open_.back().where == Where::header) keep_header(piece);
      if (complete && line_size_ == 0) {
        line_size_ = piece.size();
        end_line(piece, piece.ends_with("\r\n") ? 2 : 1);
        continue;
      }
      if (line_.size() < delimiter_line_max) line_.append(piece.substr(0, delimiter_line_max - line_.size()));
      line_size_ += piece.size();
      if (complete) end_line(line_, piece.ends_with("\r\n") || (piece.size() == 1 && last_ == '\r') ? 2 : 1);
      last_ = piece.back();
    }
  }

  Part finish() {
    const bool cut_line = line_size_ > 0;
    if (cut_line) end_line(line_, 0);
    while (!open_.empty()) {
      Open& top = open_.back();
      const bool body_here = top.where != Where::header && position_ > top.part->body.begin;
      close_entity(position_, line_feeds_ - top.line_feeds_at_body + (body_here && cut_line ? 1 : 0));
    }
    return std::move(root_);
  }

  const std::vector<CapturedField>& captured() const { return captured_; }

  // May limits have taken something from the tree, of which an envelope that was not made is a part?
  bool is_near_limits() const { return tree_octets_at_most_ > limits_.tree_octets_max; }

 private:
  enum class Role { message, part };  // a message has an envelope
  enum class Where { header, body, multipart, epilogue };

  struct Open {
    Part* part = nullptr;
    Role role = Role::part;
    DefaultType default_type = DefaultType::text_plain;
    Where where = Where::header;
    std::string boundary;                  // of a multipart; empty if nothing can delimit it
    std::uint64_t line_feeds_at_body = 0;  // of the whole message, before the body
  };

  void keep_header(std::string_view piece) {
    header_.append(piece.substr(0, limits_.header_octets_max - std::min(limits_.header_octets_max, header_.size())));
  }

  // `line` is the current line with its end, or the start of it if it came in pieces and is long.
  void end_line(std::string_view line, std::size_t end_size) {
    const std::uint64_t size = std::exchange(line_size_, 0);
    const std::uint64_t next = position_ + size;
    const std::uint64_t line_feeds = line_feeds_ + (end_size > 0 ? 1 : 0);
    const bool whole = size <= delimiter_line_max;
    const bool delimiter = whole && line.starts_with("--") && take_delimiter(line.substr(0, size - end_size), next);
    if (!delimiter && open_.back().where == Where::header && end_size > 0 && size == end_size) {
      end_header(next, line_feeds);
      note_rest();
    } else if (delimiter) {
      note_rest();
    }
    header_at_line_start_ = header_.size();
    position_ = next;
    line_feeds_ = line_feeds;
    previous_end_ = end_size;
    previous_blank_ = size == end_size;
    line_.clear();
  }

  // Nothing that may still come can change where parts lie.
  void note_rest() {
    if (detail_ == Detail::everything || open_.back().where == Where::header) return;
    rest_is_content_ = std::none_of(open_.begin(), open_.end(), [](const Open& open) {
      return open.where == Where::multipart && !open.boundary.empty();
    });
  }

  // True if the line is a delimiter of an open multipart: the innermost of that boundary ends or starts a part.
  bool take_delimiter(std::string_view line, std::uint64_t next) {
    for (std::size_t i = open_.size(); i-- > 0;) {
      if (open_[i].where != Where::multipart || open_[i].boundary.empty()) continue;
      const Delimiter delimiter = match_delimiter(line, open_[i].boundary);
      if (delimiter == Delimiter::none) continue;
      if (delimiter == Delimiter::open && parts_ >= limits_.parts_max) return false;
      header_.resize(std::min(header_.size(), header_at_line_start_));  // the delimiter is no header line
      if (open_.size() > i + 1) close_before_delimiter(i);
      Open& multipart = open_.back();
      if (delimiter == Delimiter::close) {
        multipart.where = Where::epilogue;
      } else {
        const bool digest = multipart.part->subtype == "digest";
        multipart.part->children.emplace_back();
        open_entity(multipart.part->children.back(), Role::part,
                    digest ? DefaultType::message_rfc822 : DefaultType::text_plain, next);
      }
      return true;
    }
    return false;
  }

  // Closes everything inside the multipart at `multipart`. The line end before a delimiter belongs to the delimiter
  // (RFC 2046 §5.1.1), for the part and for all that ends with it, even where that was the end of a header's blank
  // line; save that a part which ends in its header keeps its last line whole.
  void close_before_delimiter(std::size_t multipart) {
    const Open& child = open_[multipart + 1];
    const bool has_body = child.where != Where::header && position_ > child.part->body.begin;
    const std::uint64_t end = has_body ? position_ - previous_end_ : position_;
    while (open_.size() > multipart + 1) {
      const Open& top = open_.back();
      const bool lines = top.where != Where::header && position_ > top.part->body.begin;
      const std::uint64_t line_feeds = line_feeds_ - top.line_feeds_at_body;
      close_entity(end, lines ? line_feeds - (previous_end_ > 0 ? 1 : 0) + (previous_blank_ ? 0 : 1) : 0);
    }
  }

  void open_entity(Part& part, Role role, DefaultType default_type, std::uint64_t begin) {
    ++parts_;
    part.header = ByteRange{begin, begin};
    part.body = ByteRange{begin, begin};
    Open open;
    open.part = &part;
    open.role = role;
    open.default_type = default_type;
    open_.push_back(std::move(open));
    header_.clear();
    header_at_line_start_ = 0;
  }

  void close_entity(std::uint64_t end, std::uint64_t lines) {
    Part& part = *open_.back().part;
    const bool no_body = open_.back().where == Where::header;
    if (no_body) read_header_of(open_.back(), end);
    open_.pop_back();
    for (std::uint64_t* offset : {&part.header.begin, &part.header.end, &part.body.begin})
      *offset = std::min(*offset, end);
    part.body.end = end;
    part.lines = no_body ? 0 : lines;
    if (part.children.empty()) add_missing_child(part);
  }

  // Keeps what structure.h promises of containers.
  static void add_missing_child(Part& part) {
    if (part.is_message()) {  // cut off in its own header, else end_header() would have opened the child
      Part child;
      child.header = child.body = part.body;
      child.envelope.emplace();
      part.children.push_back(std::move(child));
    } else if (part.is_multipart()) {
      Part child;
      child.encoding_name = part.encoding_name;
      child.header = ByteRange{part.body.begin, part.body.begin};
      child.body = part.body;
      child.lines = part.lines;
      part.children.push_back(std::move(child));
    }
  }

  void read_header_of(Open& open, std::uint64_t end) {
    Part& part = *open.part;
    const std::vector<HeaderField> fields = read_header(header_);
    read_entity_header(fields, open.default_type, part);
    if (open.role == Role::message) {
      if (detail_ == Detail::everything) part.envelope = make_envelope(fields);
      if (detail_ == Detail::places) tree_octets_at_most_ += envelope_octets_max(fields);
    }
    if (&part == &root_) capture(fields);
    part.header.end = end;
    part.body.begin = end;
    open.boundary = part.is_multipart() ? usable_boundary(part) : std::string();
    if (part.is_message() && part.encoding() != TransferEncoding::identity) make_opaque(part);
    const std::size_t octets = description_octets(part);
    tree_octets_at_most_ += octets;
    if (tree_octets_ + octets > limits_.tree_octets_max) {
      drop_description(part);
    } else {
      tree_octets_ += octets;
    }
    header_.clear();
  }

  // After the blank line: what the body is.
  void end_header(std::uint64_t end, std::uint64_t line_feeds) {
    Open& open = open_.back();
    read_header_of(open, end);
    open.line_feeds_at_body = line_feeds;
    Part& part = *open.part;
    const bool room = open_.size() < limits_.nesting_max && parts_ < limits_.parts_max;
    if ((part.is_multipart() || part.is_message()) && !room) make_opaque(part);
    open.where = part.is_multipart() ? Where::multipart : Where::body;
    if (part.is_message()) {
      part.children.emplace_back();
      open_entity(part.children.back(), Role::message, DefaultType::text_plain, end);
    }
  }

  void capture(const std::vector<HeaderField>& fields) {
    for (const HeaderField& field : fields) {
      const bool wanted = std::any_of(wanted_.begin(), wanted_.end(),
                                      [&](const std::string& name) { return same_field_name(name, field.name); });
      if (wanted) captured_.push_back(CapturedField{ascii::to_lower(field.name), std::string(field.value)});
    }
  }

  Limits limits_;
  std::vector<std::string> wanted_;
  Detail detail_;
  std::vector<CapturedField> captured_;
  Part root_;
  std::vector<Open> open_;
  std::size_t parts_ = 0;
  std::size_t tree_octets_ = 0;
  std::size_t tree_octets_at_most_ = 0;  // with envelopes that were not made, and what was dropped

  std::string header_;                    // of the last open entity, as far as it is kept
  std::size_t header_at_line_start_ = 0;  // its size when the current line began
  bool rest_is_content_ = false;          // note_rest()
  std::uint64_t position_ = 0;            // of the current line's first octet
  std::uint64_t line_feeds_ = 0;          // before the current line
  std::uint64_t line_size_ = 0;           // of the current line so far
  std::string line_;                      // its start, if it comes in pieces
  char last_ = '\0';                      // the last octet of the piece before
  std::size_t previous_end_ = 0;          // octets of the line end before the current line
  bool previous_blank_ = true;            // the line before had nothing but its end
};

}  // namespace

class StructureParser::State : public TreeBuilder {
 public:
  using TreeBuilder::TreeBuilder;
};

StructureParser::StructureParser(const Limits& limits, std::vector<std::string> wanted)
    : state_(std::make_unique<State>(limits, std::move(wanted))) {}
StructureParser::StructureParser(StructureParser&&) noexcept = default;
StructureParser& StructureParser::operator=(StructureParser&&) noexcept = default;
StructureParser::~StructureParser() = default;

void StructureParser::feed(std::string_view bytes) { state_->feed(bytes); }
Part StructureParser::finish() { return state_->finish(); }
const std::vector<CapturedField>& StructureParser::captured() const { return state_->captured(); }

std::optional<Part> find_places(std::string_view message, const Limits& limits) {
  TreeBuilder builder(limits, {}, TreeBuilder::Detail::places);
  builder.feed(message);
  Part root = builder.finish();
  if (builder.is_near_limits()) return std::nullopt;
  return root;
}

Part parse_structure(std::string_view message, const Limits& limits) {
  StructureParser parser(limits);
  parser.feed(message);
  return parser.finish();
}

}  // namespace postkeep::mime
