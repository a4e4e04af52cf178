#include "protocol/mime/search_text.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "protocol/mime/encoded_words.h"
#include "protocol/mime/html_text.h"
#include "protocol/mime/transfer_decode.h"
#include "protocol/text/charset.h"
#include "protocol/text/utf8.h"

namespace postkeep::mime {
namespace {

constexpr std::size_t step_octets = 16 * 1024;      // decoded at a time
constexpr std::size_t header_held_max = 64 * 1024;  // of a header before its fields are given on

// A stretch of the message that has text.
struct Segment {
  enum class Kind { header, body };
  Kind kind = Kind::header;
  SearchArea area = SearchArea::body;
  ByteRange range;
  const Part* part = nullptr;
};

bool has_text(const Part& part) { return part.children.empty() && (part.type == "text" || part.type == "message"); }

void add_segments(const Part& part, SearchArea area, std::vector<Segment>& out) {
  if (part.header.size() > 0) out.push_back(Segment{Segment::Kind::header, area, part.header, &part});
  if (has_text(part)) out.push_back(Segment{Segment::Kind::body, SearchArea::body, part.body, &part});
  for (const Part& child : part.children) add_segments(child, SearchArea::body, out);
}

bool is_html(const Part& part) { return part.subtype == "html"; }  // of parts that are text

bool is_plain_ascii(const Part& part, std::string_view body) {
  if (is_html(part)) return false;  // a tag may stand in the middle of a word
  const TransferEncoding encoding = part.encoding();
  if (encoding != TransferEncoding::identity && encoding != TransferEncoding::unknown) return false;
  const Parameter* charset = find_parameter(part.parameters, "charset");
  return (charset == nullptr || text::leaves_ascii(charset->value)) && text::is_ascii(body);
}

// One that is too long to hold comes in pieces, whose ends are trimmed.
bool is_plain_ascii(std::string_view header) {
  return header.size() <= header_held_max && header.find("=?") == header.npos && text::is_ascii(header);
}

text::CharsetConverter converter_for(const Part& part) {
  if (const Parameter* charset = find_parameter(part.parameters, "charset")) {
    if (auto converter = text::CharsetConverter::open(charset->value)) return *std::move(converter);
  }
  return text::CharsetConverter::guess();
}

// The end of the last field that is surely complete in `header`; 0 if there is none.
std::size_t last_field_end(std::string_view header) {
  for (std::size_t lf = header.rfind('\n'); lf != header.npos && lf > 0; lf = header.rfind('\n', lf - 1)) {
    if (lf + 1 < header.size() && header[lf + 1] != ' ' && header[lf + 1] != '\t') return lf + 1;
  }
  return 0;
}

// The end of the field that `header` starts with or in: behind the first line end that is no fold.
std::size_t first_field_end(std::string_view header) {
  for (std::size_t lf = header.find('\n'); lf != header.npos; lf = header.find('\n', lf + 1)) {
    if (lf + 1 < header.size() && header[lf + 1] != ' ' && header[lf + 1] != '\t') return lf + 1;
  }
  return header.size();
}

}  // namespace

class SearchTextExtractor::State {
 public:
  State(const Part& root, SearchTextSink sink, const SearchTextFilter* filter)
      : sink_(std::move(sink)), filter_(filter) {
    add_segments(root, SearchArea::header, segments_);
  }

  void feed(std::string_view bytes) {
    while (!bytes.empty() && next_ < segments_.size()) {
      const Segment& segment = segments_[next_];
      if (position_ < segment.range.begin) {
        skip(bytes, segment.range.begin - position_);
        continue;
      }
      if (!started_ && filter_ != nullptr && is_filtered(segment, bytes)) {
        ++next_;
        continue;
      }
      if (!started_) start(segment);
      const std::uint64_t left = segment.range.end - position_;
      const std::string_view piece = bytes.substr(0, std::min<std::uint64_t>({bytes.size(), left, step_octets}));
      take(segment, piece);
      skip(bytes, piece.size());
      if (position_ >= segment.range.end) end(segment);
    }
  }

  void finish() {
    // A message that is shorter than its tree says ends its last segment here.
    if (started_ && next_ < segments_.size()) end(segments_[next_]);
    next_ = segments_.size();
  }

 private:
  void skip(std::string_view& bytes, std::uint64_t count) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), count));
    bytes.remove_prefix(n);
    position_ += n;
  }

  // Is there nothing to be found in this segment, which begins with `bytes`?
  bool is_filtered(const Segment& segment, std::string_view bytes) {
    if (!filter_->wants(segment.area)) return true;
    if (position_ != segment.range.begin || bytes.size() < segment.range.size()) return false;
    const std::string_view raw = bytes.substr(0, static_cast<std::size_t>(segment.range.size()));
    const bool is_header = segment.kind == Segment::Kind::header;
    if (!(is_header ? is_plain_ascii(raw) : is_plain_ascii(*segment.part, raw))) return false;
    if (filter_->may_be_in(segment.area, raw)) return false;
    if (is_header) give_file_names(segment);  // which do not stand in it as they are
    return true;
  }

  void start(const Segment& segment) {
    started_ = true;
    header_.clear();
    inside_long_field_ = false;
    if (segment.kind == Segment::Kind::body) {
      decoder_ = TransferDecoder(segment.part->encoding());
      converter_ = converter_for(*segment.part);
    }
  }

  void take(const Segment& segment, std::string_view piece) {
    if (segment.kind == Segment::Kind::header) {
      header_.append(piece);
      if (header_.size() > header_held_max) give_fields(segment);
      return;
    }
    bytes_.clear();
    decoder_.feed(piece, bytes_);
    give_text(segment);
  }

  void end(const Segment& segment) {
    started_ = false;
    ++next_;
    if (segment.kind == Segment::Kind::header) {
      give_complete_fields(segment, header_);
      give_file_names(segment);
      return;
    }
    bytes_.clear();
    decoder_.finish(bytes_);
    give_text(segment);
    utf8_.clear();
    converter_.finish(utf8_);
    if (is_html(*segment.part)) {
      shown_.clear();
      html_.feed(utf8_, shown_);
      html_.finish(shown_);
      utf8_.swap(shown_);
    }
    utf8_ += '\n';
    sink_(segment.area, utf8_);
  }

  void give_text(const Segment& segment) {
    utf8_.clear();
    converter_.feed(bytes_, utf8_);
    if (is_html(*segment.part)) {
      shown_.clear();
      html_.feed(utf8_, shown_);
      utf8_.swap(shown_);
    }
    if (!utf8_.empty()) sink_(segment.area, utf8_);
  }

  // Gives on what is complete of a header that is too long to hold. A field that is itself too long goes in pieces.
  void give_fields(const Segment& segment) {
    if (const std::size_t complete = last_field_end(header_); complete > 0) {
      give_complete_fields(segment, std::string_view(header_).substr(0, complete));
      header_.erase(0, complete);
    }
    if (header_.size() <= header_held_max) return;
    const std::size_t fold = header_.rfind('\n');
    const bool at_fold = fold != std::string::npos && fold > 0;
    const std::size_t cut = at_fold ? fold : header_.size();
    sink_(segment.area, decode_header_text(std::string_view(header_).substr(0, cut)) + (at_fold ? " " : ""));
    header_.erase(0, cut);
    inside_long_field_ = true;
  }

  void give_complete_fields(const Segment& segment, std::string_view header) {
    if (std::exchange(inside_long_field_, false)) {
      const std::size_t end = first_field_end(header);
      sink_(segment.area, decode_header_text(header.substr(0, end)) + "\n");
      header.remove_prefix(end);
    }
    // Lines that are no field are there too: of a broken header they may be all that there is.
    while (!header.empty()) {
      const std::size_t end = first_field_end(header);
      const std::string line = decode_header_text(header.substr(0, end));
      if (!line.empty()) sink_(segment.area, line + "\n");
      header.remove_prefix(end);
    }
  }

  // RFC 2231 names stand in the header in pieces and %-encoded; SEARCH should find them as people see them.
  void give_file_names(const Segment& segment) {
    const auto give = [&](const std::vector<Parameter>& parameters) {
      for (const Parameter& parameter : parameters) {
        const bool name = parameter.name == "name" || parameter.name == "filename";
        if (parameter.form == Parameter::Form::extended || name) {
          sink_(segment.area, decode_header_text(parameter.value) + "\n");
        }
      }
    };
    give(segment.part->parameters);
    if (segment.part->disposition) give(segment.part->disposition->parameters);
  }

  SearchTextSink sink_;
  const SearchTextFilter* filter_;
  std::vector<Segment> segments_;
  std::size_t next_ = 0;  // the segment that we are in or that comes next
  bool started_ = false;
  std::uint64_t position_ = 0;

  std::string header_;
  bool inside_long_field_ = false;
  TransferDecoder decoder_{TransferEncoding::identity};
  text::CharsetConverter converter_ = text::CharsetConverter::guess();
  std::string bytes_;  // kept for their capacity
  std::string utf8_;
  HtmlText html_{HtmlHead::shown};
  std::string shown_;  // of HTML
};

SearchTextExtractor::SearchTextExtractor(const Part& root, SearchTextSink sink, const SearchTextFilter* filter)
    : state_(std::make_unique<State>(root, std::move(sink), filter)) {}
SearchTextExtractor::SearchTextExtractor(SearchTextExtractor&&) noexcept = default;
SearchTextExtractor& SearchTextExtractor::operator=(SearchTextExtractor&&) noexcept = default;
SearchTextExtractor::~SearchTextExtractor() = default;

void SearchTextExtractor::feed(std::string_view bytes) { state_->feed(bytes); }
void SearchTextExtractor::finish() { state_->finish(); }

}  // namespace postkeep::mime
