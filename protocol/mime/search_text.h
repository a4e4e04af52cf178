// The text of a message as SEARCH sees it: decoded, UTF-8, in order. RFC 9051 §6.4.4 (BODY, TEXT).
// Called by storage to build the search index and to check candidates. Streams: memory is constant.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "protocol/mime/structure.h"

namespace postkeep::mime {

// Where a piece of text stands: SEARCH TEXT looks into both, SEARCH BODY into the body alone. Headers of parts
// and of nested messages belong to the body.
enum class SearchArea { header, body };

// Gets the text piece by piece. Pieces of one field or part follow each other and may be cut anywhere between
// code points, so a needle may lie across two; unrelated pieces are separated by "\n".
using SearchTextSink = std::function<void(SearchArea area, std::string_view utf8)>;

// Spares the extractor the text that cannot have what is looked for. For needles without "\n", which lie within one
// field or part.
class SearchTextFilter {
 public:
  virtual ~SearchTextFilter() = default;
  // Is something looked for there at all? Asked again before each part and header.
  virtual bool wants(SearchArea area) const = 0;
  // Of a header or a body that is all ASCII and not encoded, and so has its words as they stand: each stretch of its
  // text without white space and controls is one of `raw` too. False: nothing of it comes to the sink.
  virtual bool may_be_in(SearchArea area, std::string_view raw) const = 0;
};

// Feed it the message that `root` describes, from its first octet, with any cuts. Parts that are text (text/*,
// message/* that is no message) come decoded by transfer encoding and charset, HTML without its markup; other
// parts show their header only. Header fields come as "Name: value" with encoded words decoded.
class SearchTextExtractor {
 public:
  // `root` and `filter`, if there is one, must outlive the extractor. The filter is asked of what lies within one
  // piece; it may let anything through.
  SearchTextExtractor(const Part& root, SearchTextSink sink, const SearchTextFilter* filter = nullptr);
  SearchTextExtractor(SearchTextExtractor&&) noexcept;
  SearchTextExtractor& operator=(SearchTextExtractor&&) noexcept;
  ~SearchTextExtractor();

  void feed(std::string_view bytes);
  void finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace postkeep::mime
